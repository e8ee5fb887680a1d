// SPDX-License-Identifier: Apache-2.0
// Runs the scripts under Scripts: programs that start bwrap, with this one in its place, and the
// demonstrations.

import Foundation
import Testing

// A test for each script, rather than one with an argument: of a single case that is skipped, the
// reason would not be shown.
@Suite("Clients")
struct ClientTests {
  // Red: applications can't be installed, or don't run as they do with bubblewrap.
  @Test func `flatpak installs, runs, enters and kills an application`() throws {
    try run("flatpak")
  }

  // Red: packages can't be built, or can write where they must not.
  @Test func `opam builds, installs and removes a package in its sandbox`() throws {
    try run("opam")
  }

  // Red: file managers show no thumbnails.
  @Test func `GNOME's thumbnailer makes a picture`() throws {
    try run("thumbnailer")
  }

  // Red: systems can't be installed or built in a sandbox by an ordinary user.
  @Test func `newuidmap and newgidmap give a sandbox a whole range of ids`() throws {
    try run("ids")
  }

  // Red: nobody can look into a running sandbox, and flatpak can't start a second command in it.
  @Test func `A running sandbox can be entered from outside`() throws {
    try run("enter")
  }

  // Red: the documentation shows what does not work.
  @Test func `The demonstrations do what they show`() throws {
    try run("demonstrations")
  }

  // Red: ordinary programs fail under the policy that is meant for them.
  @Test func `Ordinary programs run under default, and a browser under desktop`() throws {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let compiler = path.split(separator: ":").map { $0 + "/swiftc" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    try run("policies", compiler ?? "")
  }

  private static let scripts = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Scripts")

  /// The exit status of a script that can't run here; its last line then says why.
  private static let skipped: Int32 = 77

  private func run(_ script: String, _ argument: String = "") throws {
    let file = ClientTests.scripts.appending(path: script + ".sh")
    // Where it is root who tests, the script needs that to name a user; it then goes on as one.
    let outcome = try Session(as: .root).run(
      "exec bash \"$@\"", file.path, argument, isMerged: true)
    if outcome.status == ClientTests.skipped {
      try Test.cancel("\(outcome.lines.last ?? "no reason given")")
    }
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
