// SPDX-License-Identifier: Apache-2.0
// Runs the scripts under Scripts: a bus, displays and menus of a real desktop, with programs of it
// in the sandbox.

import TestSupport
import Testing

// One test for each script: for a skipped case of a test with arguments, no reason is shown.
@Suite("Desktop")
struct DesktopTests {
  // Red: a program reaches what no rule allows, or does not reach what one allows.
  @Test func `D-Bus messages pass where a rule allows them, and nowhere else`() throws {
    try Script.run("dbus")
  }

  // Red: processes or files stay behind, or a bus is lost while it is in use.
  @Test func `The D-Bus proxy lives as long as the sandbox and leaves nothing behind`() throws {
    try Script.run("proxy")
  }

  // Red: a wrapper starts another thing than was typed, or a menu goes past it.
  @Test func `Wrapper scripts and menu entries start the program in its sandbox`() throws {
    try Script.run("wrap")
  }

  // Red: two profiles that a person needs together undo each other.
  @Test func `Every pair of profiles works with a program that needs both`() throws {
    try Script.run("pairs")
  }

  // Red: programs for X11 do not start, look otherwise, or reach the display without being allowed to.
  @Test func `A program draws on an X server under the profiles x11 and desktop`() throws {
    try Script.run("x11")
  }

  // Red: the same of programs for Wayland.
  @Test func `A program draws on a Wayland compositor under the profiles wayland and desktop`()
    throws
  {
    try Script.run("wayland")
  }

  // Red: docs/attacks.md calls harmless what a compositor lets a client do to others.
  @Test func `A Wayland compositor grants the sandbox no power over other clients`() throws {
    try Script.run("wayland-rights")
  }

  // Red: 32-bit programs do not run, or reach what no filter sees.
  @Test func `A 32-bit program works under desktop, without sockets of unknown families`() throws {
    try Script.run("program32")
  }

  // Red: no sound, or sound for everybody.
  @Test func `A program reaches PulseAudio and PipeWire under the profile audio`() throws {
    try Script.run("audio")
  }

  // Red: a program has the sound server run its code, outside.
  @Test func `A sound server, which loads what a client names, is reached under audio alone`()
    throws
  {
    try Script.run("sound-server")
  }

  // Red: windows look otherwise than outside, or a program reads more than how they look.
  @Test func `A program sees fonts and settings under fonts-and-themes and nothing beside`() throws
  {
    try Script.run("fonts")
  }

  // Red: a user types a line of docs/desktop.md, and it does something else than the page shows.
  @Test func `The examples of docs/desktop.md do what the page shows`() throws {
    try Script.run("examples")
  }
}
