// SPDX-License-Identifier: Apache-2.0
// Runs the scripts under Scripts: programs that start bwrap, with nestbox in its place, and the
// demonstrations.

import Foundation
import TestSupport
import Testing

// One test for each script: for a skipped case of a test with arguments, no reason is shown.
@Suite("Clients")
struct ClientTests {
  // Red: applications can't be installed, or don't run as they do with bubblewrap.
  @Test func `flatpak installs, runs, enters and kills an application`() throws {
    try Script.run("flatpak")
  }

  // Red: packages can't be built, or can write where they must not.
  @Test func `opam builds, installs and removes a package in its sandbox`() throws {
    try Script.run("opam")
  }

  // Red: file managers show no thumbnails.
  @Test func `GNOME's thumbnailer makes a picture`() throws {
    try Script.run("thumbnailer")
  }

  // Red: systems can't be installed or built in a sandbox by an ordinary user.
  @Test func `newuidmap and newgidmap give a sandbox a whole range of ids`() throws {
    try Script.run("ids")
  }

  // Red: a running sandbox cannot be entered, and flatpak can't start a second command in it.
  @Test func `A running sandbox can be entered from outside`() throws {
    try Script.run("enter")
  }

  // Red: the documentation shows what does not work.
  @Test func `The demonstrations do what they show`() throws {
    try Script.run("demonstrations")
  }

  // Red: somebody copies a file that systemd, a desktop or a job does not take, or that shows too much.
  @Test func `The recipes have their form, and start what they say`() throws {
    try Script.run("recipes")
  }

  // Red: programs in Python that start sandboxes lose results or leave something behind.
  @Test func `The package for Python runs jobs, and its wheel brings the executable`() throws {
    try Script.run("python")
  }

  // Red: ordinary programs fail under the policy that is meant for them.
  @Test func `Ordinary programs run under default, and a browser under desktop`() throws {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let compiler = path.split(separator: ":").map { $0 + "/swiftc" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    try Script.run("policies", compiler ?? "")
  }
}
