// SPDX-License-Identifier: Apache-2.0
// docs/attacks.md says what shows each of its claims.

import Foundation
import TestSupport
import Testing

@Suite("The catalogue of attacks")
struct CatalogueTests {
  private static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let page = try? String(
    contentsOf: repository.appending(path: "docs/attacks.md"), encoding: .utf8)

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(
      atPath: CatalogueTests.repository.appending(path: path).path)
  }

  // Red: a claim names a test that does not exist.
  @Test func `Every test that the page names exists`() throws {
    let page = try #require(CatalogueTests.page)
    let references = page.matches(of: /`(attack|script|page|suite):([A-Za-z0-9\/_-]+)`/)
    #expect(references.count > 40)
    let suites = try FileManager.default.contentsOfDirectory(
      atPath: CatalogueTests.repository.appending(path: "Tests").path)
    for reference in references {
      let (kind, name) = (reference.1, String(reference.2))
      let isThere =
        switch kind {
        case "attack": Attack.all.contains { $0.name == name }
        case "script": exists("Tests/DesktopTests/Scripts/\(name).sh")
        case "page": exists("Tests/BehaviourTests/Cases/\(name).md")
        default: suites.contains { exists("Tests/\($0)/\(name).swift") }
        }
      #expect(isThere, "\(reference.0)")
    }
  }

  // Red: a profile was added, and the page does not mention it.
  @Test func `Every built-in profile is on the page`() throws {
    let page = try #require(CatalogueTests.page)
    let profiles = try FileManager.default.contentsOfDirectory(
      atPath: CatalogueTests.repository.appending(path: "profiles").path)
    for profile in profiles {
      let name = profile.replacing(".profile", with: "")
      #expect(page.contains("| `\(name)` |") || page.contains("\n## \(name)\n"), "\(name)")
    }
  }
}
