// SPDX-License-Identifier: Apache-2.0
// The main function is libFuzzer's. SwiftPM gives that of a Swift executable another name.
typedef int nothing_of_its_own;
