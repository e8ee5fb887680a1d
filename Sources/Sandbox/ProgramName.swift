// SPDX-License-Identifier: Apache-2.0
// The names that processes and keyrings of nestbox have for others.

/// The names under which other processes find this program's.
public enum ProgramName {
  /// The name of init, of a process that enters a sandbox, and of the keyring of all launches.
  public static var nestbox: StaticString { "nestbox" }

  /// The names of launchers, which lock directories while they change them.
  static var launchers: [Substring] { ["nestbox", "bwrap"] }
}
