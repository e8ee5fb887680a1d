// SPDX-License-Identifier: Apache-2.0

/// Which nestbox this is.
public enum Release {
  /// The release, as `--version` says it.
  public static let version = "0.1.0"
  /// The day of its manual.
  static let date = "2026-11-21"
}
