// SPDX-License-Identifier: Apache-2.0
// SECURITY.md and docs/attacks.md say what shows each of their claims.

import Foundation
import TestSupport
import Testing

@Suite("The catalogue of attacks")
struct CatalogueTests {
  private static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: repository.appending(path: path), encoding: .utf8)
  }

  private static let profiles = try? FileManager.default.contentsOfDirectory(
    atPath: repository.appending(path: "profiles").path
  ).filter { $0.hasSuffix(".profile") }.map { $0.replacing(".profile", with: "") }.sorted()

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(
      atPath: CatalogueTests.repository.appending(path: path).path)
  }

  /// The kinds and names of tests in `text`.
  private static func references(in text: Substring) -> [(kind: String, name: String)] {
    text.matches(of: /`(attack|script|page|suite):([A-Za-z0-9\/_-]+)`/)
      .map { (String($0.1), String($0.2)) }
  }

  // Red: a claim names a test that does not exist.
  @Test(arguments: ["SECURITY.md", "docs/attacks.md"])
  func `Every test that a page names exists`(_ page: String) throws {
    let references = CatalogueTests.references(in: try CatalogueTests.text(page)[...])
    #expect(!references.isEmpty)
    let suites = try FileManager.default.contentsOfDirectory(
      atPath: CatalogueTests.repository.appending(path: "Tests").path)
    for (kind, name) in references {
      let isThere =
        switch kind {
        case "attack": Attack.all.contains { $0.name == name }
        case "script": exists("Tests/DesktopTests/Scripts/\(name).sh")
        case "page": exists("Tests/BehaviourTests/Cases/\(name).md")
        default: suites.contains { exists("Tests/\($0)/\(name).swift") }
        }
      #expect(isThere, "\(kind):\(name)")
    }
  }

  /// The rows of each table.
  private static let resources = [
    "files", "descriptors", "environment", "processes", "terminal", "network and other families",
    "buses", "sound", "display", "GPU", "devices", "IPC", "privileges", "kernel",
    "what nestbox reads of it", "exhaustion",
  ]

  // Red: a profile was added, and SECURITY.md says nothing of it, or not of each resource; or what a
  // row names was tried under another profile alone.
  @Test func `Each profile has a table with a row and tests for each resource`() throws {
    let page = try CatalogueTests.text("SECURITY.md")
    let profiles = try #require(CatalogueTests.profiles)
    #expect(profiles == ProfileRights.all.map(\.profile).sorted())
    for rights in ProfileRights.all {
      let start = try #require(page.firstRange(of: "\n### `\(rights.profile)`\n"), "\(rights)")
      let section = page[start.upperBound...].prefix { $0 != "#" }
      let rows = section.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
        .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
      #expect(rows.map(\.first) == CatalogueTests.resources, "\(rights)")
      for row in rows {
        #expect(row.count == 4 && row[1] + row[2] != "", "\(rights): \(row)")
        let references = CatalogueTests.references(in: (row.last ?? "")[...])
        #expect(!references.isEmpty, "\(rights): \(row)")
        for (kind, name) in references where kind == "attack" {
          #expect(
            ProfileRights.attacks(under: rights).contains { $0.name == name },
            "\(rights): \(name) does not run under it")
        }
      }
    }
  }

  // Red: an option passes a socket, a device, a bus or a descriptor on, and nobody has judged it.
  @Test func `Each option that passes something on is assessed`() throws {
    let page = try CatalogueTests.text("docs/attacks.md")
    let start = try #require(page.firstRange(of: "\n## Rights that options pass on\n"))
    let assessed = Set(
      page[start.upperBound...].matches(of: /`(--[a-z0-9-]+)/).map { String($0.1) })
    var options: Set<String> = []
    // All that built-in profiles use.
    for profile in try #require(CatalogueTests.profiles) {
      for line in try CatalogueTests.text("profiles/\(profile).profile").split(separator: "\n") {
        if let option = line.split(separator: " ").first, option.hasPrefix("--") {
          options.insert(String(option))
        }
      }
    }
    // All that name something of the host's by a descriptor, a path of a device or a bus.
    let passing =
      /"(--(?:[a-z-]*-fd|dbus-[a-z-]+|dev-bind[a-z-]*|bind[a-z-]*|ro-bind[a-z-]*|file|add-seccomp-fd|share-net|netns|userns2?|pidns|cap-add|enter|keep|detach|x11|exec|follow-mounts|read[a-z-]*|write[a-z-]*|home|overlay-src|lock-file|seccomp-allow))"/
    let tables = CatalogueTests.repository.appending(path: "Sources/Options/Table")
    for file in try FileManager.default.contentsOfDirectory(atPath: tables.path) {
      for match in try CatalogueTests.text("Sources/Options/Table/\(file)").matches(of: passing) {
        options.insert(String(match.1))
      }
    }
    #expect(options.count > 60)
    #expect(options.subtracting(assessed).sorted() == [])
  }
}
