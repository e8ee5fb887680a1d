// SPDX-License-Identifier: Apache-2.0
// Manual pages and completions as people meet them: in man(1), and in a shell in a terminal.

import Foundation
import TestSupport
import Testing

@Suite("Pages")
struct PageTests {
  static let manuals = ["man", "man-profile", "man-policy"]

  // Red: man complains, or shows something else than was meant.
  @Test("man shows a page without a warning", .needs("man"), .needs("groff"), arguments: manuals)
  func man(_ kind: String) throws {
    let outcome = try Session().run(
      """
      nestbox --generate \(kind) > page; LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings=w -l page > shown
      groff -ww -man -Tutf8 page > /dev/null
      grep -c . shown; grep -E '^NAME$|^SEE ALSO$' shown
      """)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(outcome.lines.count == 3 && (Int(outcome.lines[0]) ?? 0) > 20, "\(outcome.output)")
  }

  // Red: the page is broken where mandoc is man.
  @Test("mandoc finds nothing to complain of", .needs("mandoc"), arguments: manuals)
  func mandoc(_ kind: String) throws {
    let outcome = try Session().run("nestbox --generate \(kind) | mandoc -Tlint -Wall")
    #expect(outcome.output == "")
    #expect(outcome.status == 0)
  }

  // Red: the profile that `make install` loads is refused, and nestbox with it.
  @Test(.asRoot, .needs("apparmor_parser"), .needs("make"))
  func `The AppArmor profile is valid and names the installed executable`() throws {
    let repository = PageTests.driver.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    // Parsers before 4.0 know neither the ABI nor the rule, and take the rest.
    let outcome = try Session(as: .root).run(
      """
      make -s -C "$1" install-pages install-apparmor DESTDIR="$PWD/root" PREFIX=/usr > log
      cd root; find . -type f | sort; file=etc/apparmor.d/nestbox; grep -c '^profile nestbox /usr/bin/nestbox ' $file
      [ -e /etc/apparmor.d/abi/4.0 ] || sed -i '/^abi /d; /^  userns,/d' $file
      apparmor_parser -Q -K $file 2> ../log && echo parsed
      cd ..; make -s -C "$1" uninstall DESTDIR="$PWD/root" PREFIX=/usr; find root -type f
      """, repository.path)
    #expect(outcome.errors == "")
    let expected = """
      ./etc/apparmor.d/nestbox
      ./usr/share/bash-completion/completions/nestbox
      ./usr/share/fish/vendor_completions.d/nestbox.fish
      ./usr/share/man/man1/nestbox.1
      ./usr/share/man/man5/nestbox-policy.5
      ./usr/share/man/man5/nestbox-profile.5
      ./usr/share/zsh/site-functions/_nestbox
      1
      parsed
      """
    #expect(outcome.output == expected)
  }

  private static let driver = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Completion/terminal.py")

  private func complete(in shell: String) throws {
    let program = try String(contentsOf: PageTests.driver, encoding: .utf8)
    let outcome = try Session().python(program, shell)
    #expect(outcome.output == "all tried")
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  // Red: Tab offers what cannot be typed there, or stays silent.
  @Test(
    .needs("tmux"), .needs("python3"),
    .enabled(
      if: FileManager.default.fileExists(
        atPath: "/usr/share/bash-completion/bash_completion"), "needs bash-completion"))
  func `bash completes options, operands and the command`() throws { try complete(in: "bash") }

  // Red: the same, in zsh.
  @Test(.needs("tmux"), .needs("python3"), .needs("zsh"))
  func `zsh completes options, operands and the command`() throws { try complete(in: "zsh") }

  // Red: the same, in fish.
  @Test(.needs("tmux"), .needs("python3"), .needs("fish"))
  func `fish completes options, operands and the command`() throws { try complete(in: "fish") }
}
