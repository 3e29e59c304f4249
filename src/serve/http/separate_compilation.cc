// Asio's and Beast's own functions, compiled once, here (see the definitions of malssi_serve in CMakeLists.txt).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
