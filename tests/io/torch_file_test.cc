// Files of torch.save(): what PyTorch wrote (golden_torch.py), and what nobody should have.
#include "io/torch_file.h"

#include <gtest/gtest.h>

#include "io/model_folder.h"
#include "io/safetensors.h"
#include "io/tiny_model.h"
#include "io/torch_archive.h"
#include "scratch.h"

namespace malssi {
namespace {

const fs::path kGolden = fs::path(MALSSI_SOURCE_DIR) / "tests" / "io" / "torch";

std::vector<float> ramp(int count, int first = 0) {
  std::vector<float> numbers;
  for (int i = first; i < first + count; ++i) numbers.push_back(static_cast<float>(i - 3) / 4);
  return numbers;
}

TEST(TorchFile, TensorsAreThoseThatTorchSaved) {
  for (const char* name : {"protocol2.bin", "protocol4.bin"}) {
    SCOPED_TRACE(name);
    const TorchFile file(kGolden / name);
    EXPECT_EQ(file.entries().size(), 10u);
    const auto expect = [&](const char* tensor, const char* kind, const std::vector<float>& want) {
      ASSERT_NE(file.find(tensor), nullptr) << tensor;
      EXPECT_EQ(describe(*file.find(tensor)), kind);
      EXPECT_EQ(file.load(tensor).to_vector(), want) << tensor;
      EXPECT_EQ(file.borrow(*file.find(tensor)).to_vector(), want) << tensor;
    };
    expect("wide", "F32 [2, 3]", ramp(6));
    expect("half", "F16 [4]", ramp(4));
    expect("brain", "BF16 [2, 2]", ramp(4));
    expect("double", "F64 [5]", ramp(5));
    expect("number", "F32 []", {7.5f});
    expect("empty", "F32 [0, 4]", {});
    expect("all", "F32 [12]", ramp(12));
    expect("part", "F32 [2, 3]", ramp(6, 4));
    EXPECT_EQ(describe(*file.find("flags")), "BOOL [3]");
    const Tensor whole = file.load("whole");
    EXPECT_EQ(whole.as<int64_t>()[0], int64_t{1} << 40);
    EXPECT_EQ(whole.as<int64_t>()[1], -1);
  }
}

TEST(TorchFile, OtherObjectsAreRefusedByTheirNames) {
  const auto error = [](const char* name) {
    const std::string message = error_of([&] { TorchFile file(kGolden / name); });
    EXPECT_TRUE(is_one_line(message)) << message;
    return message;
  };
  EXPECT_TRUE(contains(error("turned.bin"), "\"turned\" does not lie row after row"));
  EXPECT_TRUE(contains(error("with_a_number.bin"), "\"epoch\" is no tensor"));
  EXPECT_TRUE(contains(error("module.bin"), "torch.nn.modules.linear.Linear"));
  EXPECT_TRUE(contains(error("parameter.bin"), "_rebuild_parameter"));
  EXPECT_TRUE(contains(error("old.bin"), "before PyTorch 1.6"));
}

class HostileTorchFile : public testing::Test {
 protected:
  std::string error(const std::string& content) {
    overwrite(path_, content);
    const std::string message = error_of([&] { TorchFile file(path_); });
    EXPECT_TRUE(is_one_line(message)) << message;
    return message;
  }
  std::string error_of_pickle(const std::string& pickle) {
    return error(torch_archive(pickle, std::string(24, '\x40')));
  }
  std::string error_of_tensor(const TorchTensor& tensor) {
    return error_of_pickle(pickled_dictionary({tensor}));
  }

  ScratchFolder scratch_;
  const fs::path path_ = scratch_ / "file.bin";
  const TorchTensor good_{.name = "w", .shape = {2, 3}, .strides = {3, 1}, .size = 6};
};

TEST_F(HostileTorchFile, TheHelperMakesGoodOnes) {
  overwrite(path_, torch_archive(pickled_dictionary({good_}), std::string(24, '\x40')));
  EXPECT_EQ(describe(TorchFile(path_).entries().front()), "F32 [2, 3]");
}

TEST_F(HostileTorchFile, NothingIsCalled) {
  const fs::path touched = scratch_ / "touched";
  const std::string argument = pickled_text("touch " + touched.string());
  const std::string plain = pickled_callable("posix", "system") + "(" + argument + "tR.",
                    stacked = pickled_text("builtins") + pickled_text("eval") + "\x93(" + argument +
                              "tR.";
  EXPECT_TRUE(contains(error_of_pickle("\x80\x02" + plain), "wants posix.system"));
  EXPECT_TRUE(contains(error_of_pickle("\x80\x04" + stacked), "wants builtins.eval"));
  EXPECT_TRUE(contains(error_of_pickle(pickled_callable("torch", "load") + "."), "torch.load"));
  EXPECT_TRUE(contains(error_of_pickle("i"), "operation 105"));  // INST, of protocol 0
  EXPECT_FALSE(fs::exists(touched));
}

TEST_F(HostileTorchFile, TensorsOutsideTheirStorageAreErrors) {
  const auto with = [&](auto&& change) {
    TorchTensor tensor = good_;
    change(tensor);
    return error_of_tensor(tensor);
  };
  constexpr int64_t kLarge = int64_t{1} << 62;
  EXPECT_TRUE(contains(with([](auto& t) { t.offset = 1; }), "wants 6 numbers from 1 on"));
  EXPECT_TRUE(contains(with([](auto& t) { t.size = 7; }), "its storage has 6"));
  EXPECT_TRUE(contains(with([](auto& t) { t.offset = -1; }), "place in a storage"));
  EXPECT_TRUE(contains(with([](auto& t) { t.offset = kLarge; }), "wants 6 numbers"));
  EXPECT_TRUE(contains(with([](auto& t) { t.shape = {-2, -3}; }), "whole numbers from 0"));
  EXPECT_TRUE(contains(with([](auto& t) { t.key = "1"; }), "are missing"));
  EXPECT_TRUE(contains(with([](auto& t) { t.type = "QInt8Storage"; }), "torch.QInt8Storage"));
  EXPECT_TRUE(contains(with([](auto& t) { t.type = "DoubleStorage"; }), "its storage has 3"));
  EXPECT_TRUE(contains(with([](auto& t) { t.strides = {0, 0}; }), "row after row"));
  EXPECT_TRUE(contains(with([](auto& t) { t.strides = {1}; }), "1 strides"));
  const auto large = [](TorchTensor& t) {
    t.shape = {4, kLarge, 4};
    t.strides = {0, 4, 1};
  };
  EXPECT_TRUE(contains(with(large), "too large"));
}

TEST_F(HostileTorchFile, DamagedPicklesAreErrors) {
  for (const std::string pickle :
       {"",     ".",          "}",         "a",        "t.",
        "0.",   "}(K\1u.",    "h\1.",      "q\1.",     "Q.",
        "R.",   ")R.",        "N.",        "K\1K\1s.", "X\xff\xff\xff\xff.",
        "}(s.", "(}K\1K\1s.", "\x8a\xff.", "]}b.",     ")Q."})
    EXPECT_NE(error_of_pickle(pickle), "") << pickle;
  EXPECT_NE(error_of_pickle(pickled_dictionary({good_, good_})), "");  // a name twice
  EXPECT_NE(error_of_pickle(std::string(3 << 20, 'N')), "");           // too many objects
  EXPECT_NE(error_of_pickle("(" + std::string(1 << 18, '(') + std::string(1 << 18, 't') + "."), "");
}

TEST_F(HostileTorchFile, DamagedArchivesAreErrorsAndNeverMore) {
  const std::string good = torch_archive(pickled_dictionary({good_}), std::string(24, '\x40'));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_NE(error(good.substr(0, size)), "");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    overwrite(path_, changed);
    try {
      const TorchFile file(path_);
      for (const Entry& entry : file.entries()) file.load(entry.name);
    } catch (const Error& damage) {
      EXPECT_TRUE(is_one_line(damage.what())) << damage.what();
    }
  }
  const ZipFiles files = {{"archive/data.pkl", "}."}};
  EXPECT_TRUE(contains(error(zip_of(files, 8)), "compressed"));
  EXPECT_TRUE(contains(error(zip_of({files[0], files[0]})), "twice"));
  EXPECT_TRUE(contains(error(zip_of({{"archive/version", "3"}})), "without data.pkl"));
  EXPECT_TRUE(contains(error(zip_of({files[0], {"archive/byteorder", "big"}})), "big-endian"));
}

TEST(TorchFile, AModelsPicklesAreItsSafetensors) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "model";
  const auto model = make_model(tiny_config(), DType::f32, 5);
  save_model(folder, *model, *tiny_tokenizer(), nullptr);
  ZipFiles files(1);
  std::vector<TorchTensor> tensors;
  const Safetensors weights(folder / "model.safetensors");
  for (const Entry& entry : weights.entries()) {
    TorchTensor tensor{
        .name = entry.name, .shape = entry.shape, .strides = {}, .size = entry.count()};
    tensor.key = std::to_string(tensors.size());
    tensor.strides.assign(entry.shape.size(), 1);
    for (size_t i = entry.shape.size(); i-- > 1;)
      tensor.strides[i - 1] = tensor.strides[i] * entry.shape[i];
    files.emplace_back(
        "model/data/" + tensor.key,
        std::string(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size()));
    tensors.push_back(tensor);
  }
  files[0] = {"model/data.pkl", pickled_dictionary(tensors)};
  overwrite(folder / "pytorch_model.bin", zip_of(files));
  fs::remove(folder / "model.safetensors");
  const LoadedModel loaded = load_model(folder, DType::f32);
  const auto want = export_weights(*model), got = export_weights(*loaded.model);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(got[i].value.to_vector(), want[i].value.to_vector()) << want[i].name;
}

}  // namespace
}  // namespace malssi
