// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

#if arch(arm64)
  extension BuiltInPolicy {
    static let initInstructions: [UInt64] = [
      0x400000020, 0xc00000b716000015, 0x20, 0xd300080035, 0x6300040035, 0x5d00010035,
      0x39100f0015, 0x600e000035, 0x620e0d0035, 0x80000c0015, 0x89000b0015, 0x8b0b0a0015,
      0xe300060035, 0xd900020035, 0xd407000035, 0xd607060035, 0xdf00010035, 0xde05040035,
      0xe204030035, 0xe900020015, 0x10400010015, 0x1b401000015, 0x7fff000000000006, 0x5000100000006,
      0x8000000000000006,
    ]
  }
#endif
