# malssi_page(TARGET): TARGET gets the chat page's files (src/serve/web/assets.h), built by npm when its sources changed.
# Without node, npm or a network there are none (tools/build_page): the stamp is not written and the next build tries again.
function(malssi_page target)
  set(out ${CMAKE_BINARY_DIR}/page)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/serve/web/*)
  list(FILTER sources EXCLUDE REGEX "\\.(h|cc)$")
  add_custom_command(OUTPUT ${out}/page.stamp BYPRODUCTS ${out}/page_assets.cc
    COMMAND ${CMAKE_SOURCE_DIR}/tools/build_page ${out}
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/tools/build_page
    COMMENT "Building the chat page" VERBATIM)
  add_custom_target(page DEPENDS ${out}/page.stamp)
  target_sources(${target} PRIVATE ${out}/page_assets.cc)
  # The compressed bytes are nothing that precompiled headers would help with.
  set_source_files_properties(${out}/page_assets.cc PROPERTIES GENERATED ON SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} page)
endfunction()
