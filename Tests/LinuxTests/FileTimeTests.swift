// SPDX-License-Identifier: Apache-2.0
// Points in time, as names have them.

import Linux
import Testing

@Suite("Times")
struct FileTimeTests {
  // Red: a review that begins on a leap day, or at the turn of a year, is called after another day.
  @Test(
    "A time is written as its date in UTC",
    arguments: [
      (0, "19700101-000000"), (951_782_399, "20000228-235959"), (951_782_400, "20000229-000000"),
      (951_868_800, "20000301-000000"), (1_709_164_800, "20240229-000000"),
      (1_735_689_599, "20241231-235959"), (1_735_689_600, "20250101-000000"),
      (4_107_542_400, "21000301-000000"), (1_767_323_045, "20260102-030405"),
    ] as [(Int64, String)])
  func compact(_ seconds: Int64, _ text: String) {
    #expect(FileTime(seconds: seconds, nanoseconds: 0).compactText == text)
  }
}
