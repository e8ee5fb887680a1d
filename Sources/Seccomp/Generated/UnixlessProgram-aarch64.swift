// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

#if arch(arm64)
  extension BuiltInPolicy {
    static let unixlessInstructions: [UInt64] = [
      0x400000020, 0xc00000b705000015, 0x20, 0xc800020035, 0xc60f000035, 0xc704070035,
      0x1a90d0c0015, 0x400000280d000015, 0x20, 0x11902000015, 0x1000000020, 0x108050015,
      0x12005000015, 0x1800000020, 0xf00000054, 0x500040015, 0x100030015, 0x5006100000006,
      0x1a901000015, 0x5002600000006, 0x7fff000000000006, 0x8000000000000006,
    ]
  }
#endif
