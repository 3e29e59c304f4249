#include "base/console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/format.h"
#include "base/progress.h"

namespace malssi {
namespace {

// A console that writes into a temporary file.
class ConsoleIntoAFile : public ::testing::Test {
 protected:
  ~ConsoleIntoAFile() override { std::fclose(file_); }
  std::string written() {
    std::fflush(file_);
    std::rewind(file_);
    std::string text(1 << 16, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }
  std::FILE* file_ = std::tmpfile();
};

ProgressMeter meter_at(int64_t done, int64_t total, std::string text = "") {
  ProgressMeter meter;
  meter.update({0, total, text}, 100);
  meter.update({done, total, text}, 110);
  return meter;
}

TEST(Format, CountsHaveThreeFiguresAndAUnit) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(0.25), "0.25");
  EXPECT_EQ(human_count(87), "87");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(999.7), "1k");
  EXPECT_EQ(human_count(12345), "12.3k");
  EXPECT_EQ(human_count(124'439'808), "124M");
  EXPECT_EQ(human_count(1.5e9), "1.5B");
  EXPECT_EQ(human_count(-1200), "-1.2k");
  EXPECT_EQ(human_count(3e15), "3000T");
}

TEST(Format, QuantitiesCarryTheirUnitsPrefix) {
  EXPECT_EQ(human_quantity(468e9, "FLOP/s"), "468 GFLOP/s");
  EXPECT_EQ(human_quantity(5.3e15, "FLOP"), "5.3 PFLOP");
  EXPECT_EQ(human_quantity(12, "B/s"), "12 B/s");
  EXPECT_EQ(human_quantity(0, "B"), "0 B");
  EXPECT_EQ(human_quantity(1e25, "B"), "10000000 EB");
}

TEST(Format, BytesComeInPowersOf1024) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(int64_t{4'187'593'114}), "3.9 GiB");
  EXPECT_EQ(human_bytes(200 << 20), "200 MiB");
}

TEST(Format, SecondsReadAsPeopleSayThem) {
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(42e-6), "42 us");
  EXPECT_EQ(human_seconds(0.0123), "12.3 ms");
  EXPECT_EQ(human_seconds(3.21), "3.2 s");
  EXPECT_EQ(human_seconds(9.96), "10 s");
  EXPECT_EQ(human_seconds(59.7), "1m 00s");
  EXPECT_EQ(human_seconds(185), "3m 05s");
  EXPECT_EQ(human_seconds(3720), "1h 02m");
  EXPECT_EQ(human_seconds(183'600), "2d 03h");
  EXPECT_EQ(human_seconds(1.0 / 0.0), "?");
}

TEST(Format, HangulTakesTwoColumnsAndCombiningMarksNone) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("말씨"), 4);
  EXPECT_EQ(display_width("e\u0301"), 1);
  EXPECT_EQ(display_width("🙂"), 2);
  EXPECT_EQ(display_width("\xff\xfe"), 2);
}

TEST(Format, FitWidthNeverSplitsACharacter) {
  EXPECT_EQ(fit_width("말씨 model", 20), "말씨 model");
  EXPECT_EQ(fit_width("말씨 model", 4), "말…");
  EXPECT_EQ(fit_width("말씨 model", 5), "말씨…");
  EXPECT_EQ(fit_width("model", 0), "");
}

TEST(Format, CharactersAreDecodedAndBrokenBytesCountAlone) {
  const std::string_view text =
      "a\xc3\xa9\xed\x95\x9c\xf0\x9f\x99\x82\xff\xed\xa0\x80\xc0\xaf\xe2\x82";
  std::u32string characters;
  for (size_t at = 0; at < text.size();) characters += next_character(text, at);
  EXPECT_EQ(characters,
            U"aé한🙂\xfffd"
            U"\xfffd\xfffd\xfffd"
            U"\xfffd\xfffd"
            U"\xfffd\xfffd");
}

TEST(Format, ThisProcessHasMemory) {
  EXPECT_GT(process_memory_bytes(), 1 << 20);
  EXPECT_GE(peak_memory_bytes(), process_memory_bytes() / 2);
}

TEST(ProgressMeter, ReckonsRateAndTimeLeft) {
  const ProgressMeter meter = meter_at(50, 200);
  EXPECT_DOUBLE_EQ(meter.rate(), 5);
  EXPECT_DOUBLE_EQ(meter.seconds_left(), 30);
  EXPECT_DOUBLE_EQ(meter.elapsed_seconds(), 10);
}

TEST(ProgressMeter, DoesNotCountWhatWasDoneBeforeIt) {
  ProgressMeter meter;
  meter.update({1000, 2000, ""}, 0);
  meter.update({1010, 2000, ""}, 1);
  EXPECT_DOUBLE_EQ(meter.rate(), 10);
}

TEST(ProgressMeter, LeansOnTheRecentRate) {
  ProgressMeter meter;
  int64_t done = 0;
  for (int second = 0; second <= 60; ++second) meter.update({done += 100, 0, ""}, second);
  for (int second = 61; second <= 120; ++second) meter.update({done += 10, 0, ""}, second);
  EXPECT_NEAR(meter.rate(), 10, 2.5);
}

TEST(ProgressMeter, KnowsNothingBeforeTheFirstPieceIsDone) {
  ProgressMeter meter;
  meter.update({0, 10, ""}, 0);
  meter.update({0, 10, ""}, 5);
  EXPECT_EQ(meter.rate(), 0);
  EXPECT_TRUE(std::isinf(meter.seconds_left()));
  meter.update({1, 10, ""}, 10);
  EXPECT_DOUBLE_EQ(meter.rate(), 0.1);
}

TEST(ProgressLine, ShowsShareCountsRateTimeAndText) {
  EXPECT_EQ(progress_line(meter_at(50, 200, "loss 1.23"), {.columns = 0}),
            " 25%  50/200  5/s  30 s left  loss 1.23");
}

TEST(ProgressLine, DrawsABarWhereThereIsRoom) {
  EXPECT_EQ(progress_line(meter_at(50, 100), {.columns = 50, .unicode = false}),
            " 50%  [=========>        ]  50/100  5/s  10 s left");
  const std::string line = progress_line(meter_at(50, 100), {.columns = 50});
  EXPECT_NE(line.find("█░"), std::string::npos);
  EXPECT_EQ(display_width(line), 50);
}

TEST(ProgressLine, NeverExceedsItsColumns) {
  const ProgressMeter meter = meter_at(50, 200, "loss 1.23 | 말씨가 배우는 중 | 1.2 GiB");
  for (int64_t columns = 1; columns < 120; ++columns)
    for (bool unicode : {false, true})
      EXPECT_LE(display_width(progress_line(meter, {.columns = columns, .unicode = unicode})),
                columns);
}

TEST(ProgressLine, AnUnknownTotalCountsUpwards) {
  EXPECT_EQ(progress_line(meter_at(50, 0), {.columns = 80}), "50  5/s  10 s");
}

TEST(ProgressLine, SlowWorkTellsTheTimeOfOnePiece) {
  EXPECT_EQ(progress_line(meter_at(2, 4), {.columns = 0}), " 50%  2/4  5.0 s each  10 s left");
}

TEST(ProgressLine, AFinishedOneTellsHowLongItTook) {
  EXPECT_EQ(progress_line(meter_at(200, 200), {.columns = 0}), "100%  200/200  20/s  10 s");
}

TEST_F(ConsoleIntoAFile, PlainLinesCarryNoEscapes) {
  {
    Console console(file_);
    EXPECT_FALSE(console.is_terminal());
    console.note("reading");
    console.warn("slow disk");
    for (int64_t i = 0; i <= 1000; ++i) console.progress({i, 1000, "loss 1"});
    console.end_progress();
  }
  const std::string text = written();
  EXPECT_TRUE(text.starts_with("reading\nwarning: slow disk\n100%  1000/1000")) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

TEST_F(ConsoleIntoAFile, AQuietOneStillWarns) {
  {
    Console console(file_, true);
    console.note("reading");
    console.progress({1, 2, ""});
    console.end_progress();
    console.warn("slow disk");
  }
  EXPECT_EQ(written(), "warning: slow disk\n");
}

TEST_F(ConsoleIntoAFile, AMovedConsoleFinishesTheBarOnce) {
  {
    Console first(file_);
    first.progress({1, 2, ""});
    Console second = std::move(first);
  }
  EXPECT_EQ(written(), " 50%  1/2\n");
}

}  // namespace
}  // namespace malssi
