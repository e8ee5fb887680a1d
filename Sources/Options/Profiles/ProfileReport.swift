// SPDX-License-Identifier: Apache-2.0
// The answers to --list-profiles and --show-profile.

internal import Linux
public import Sandbox
public import Text

/// Reports on profiles.
public enum ProfileReport {
  /// Every profile, its file, and what it is for.
  public static func list(_ surroundings: Surroundings, asJSON: Bool) -> String {
    let entries = Profile.all(surroundings).map { entry in
      // An unreadable profile is listed too; --show-profile reports its mistake.
      (entry, summary: (try? Profile.find(entry.name, surroundings))?.summary ?? "")
    }
    if asJSON {
      let profiles = entries.map { entry, summary in
        JSON.object([
          .init("name", .bytes(entry.name)),
          .init("path", entry.path.map { .bytes($0) } ?? .null),
          .init("summary", .string(summary)),
        ])
      }
      return JSON.object([.init("profiles", .array(profiles))]).text
    }
    let width = entries.map { $0.0.name.quoted.count }.max() ?? 0
    return entries.map { entry, summary in
      let name = entry.name.quoted
      let gap = String(repeating: " ", count: width - name.count + 2)
      let place = entry.path?.quoted ?? "built in"
      let comment = ByteString(summary).quoted
      return name + gap + (summary.isEmpty ? "" : comment + " ") + "(\(place))\n"
    }.joined()
  }

  /// The lines of the profile `name`, with those of included profiles in place.
  public static func show(
    _ name: ByteString, _ surroundings: Surroundings, asJSON: Bool
  ) throws(UsageError) -> String {
    var listing = Listing(surroundings: surroundings)
    do throws(UsageError) {
      try listing.add(try Profile.find(name, surroundings))
    } catch {
      throw UsageError("--show-profile: \(error.message)")
    }
    if asJSON {
      let lines = listing.lines.map { line in
        JSON.object([
          .init("option", .bytes(line.words[0])),
          .init("operands", .array(line.words.dropFirst().map { .bytes($0) })),
          .init("origin", line.origin.json),
        ])
      }
      return JSON.object([.init("name", .bytes(name)), .init("lines", .array(lines))]).text
    }
    let texts = listing.lines.map { line in
      line.words.map { ByteString($0.bytes).text }.joined(separator: " ")
    }
    // Long lines must not push the comments of all others out of sight.
    let width = texts.map(\.count).filter { $0 <= 60 }.max() ?? 0
    return zip(texts, listing.lines).map { text, line in
      let gap = String(repeating: " ", count: max(0, width - text.count) + 2)
      return text + gap + "# " + (line.origin.location ?? "") + "\n"
    }.joined()
  }
}

/// The lines of a profile as they are written.
private struct Listing {
  let surroundings: Surroundings
  var lines: [(words: [ByteString], origin: Origin)] = []
  private var taken: [Profile.Identity] = []

  init(surroundings: Surroundings) { self.surroundings = surroundings }

  mutating func add(_ profile: Profile) throws(UsageError) {
    guard !taken.contains(profile.identity) else { return }
    taken.append(profile.identity)
    let variables = ProfileVariables(
      surroundings: surroundings, command: [], path: profile.path)
    for (index, line) in profile.lines.enumerated() {
      let origin = profile.origin(index + 1)
      var reader = LineReader(line, nil)
      do throws(UsageError) {
        while try reader.next() != nil {}
      } catch {
        throw error.at(origin, column: reader.mistakeColumn)
      }
      let words = reader.written.map { ByteString($0) }
      guard let option = words.first else { continue }
      guard option == "--profile", words.count == 2 else {
        lines.append((words, origin))
        continue
      }
      var expander = LineReader(line, variables)
      let included: Profile
      do throws(UsageError) {
        _ = try expander.next()
        included = try Profile.find(
          try expander.next() ?? "", surroundings, for: profile)
      } catch {
        throw error.at(origin)
      }
      try add(included)
    }
  }
}
