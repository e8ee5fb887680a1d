// SPDX-License-Identifier: Apache-2.0
// Reads JSON with libjansson, which a launch without a policy in JSON never calls.

internal import CLibjansson
internal import Text

/// A value in a text, and its place there for messages.
struct JSONNode {
  let value: JSON
  /// The text, as the user named it.
  let file: String
  /// The members and elements that lead here, as `syscalls[3].args`.
  let place: String

  /// Reads a text.
  /// - Throws: `PolicyError` with the line and column of a mistake. A name that occurs twice in an
  ///   object is one.
  init(_ text: String, of file: String) throws(PolicyError) {
    var mistake = json_error_t()
    var text = text
    let tree = text.withUTF8 { bytes in
      unsafe json_loadb(bytes.baseAddress, bytes.count, Int(JSON_REJECT_DUPLICATES), &mistake)
    }
    guard let tree = unsafe tree else {
      let position = Position(
        file: file, line: max(1, Int(mistake.line)), column: max(1, Int(mistake.column)))
      let reason = unsafe withUnsafeBytes(of: mistake.text) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // The library cites the text itself, which may hold what drives a terminal.
      let cause = reason.replacingAll(" near ", by: "\0").utf8.prefix { $0 != 0 }
      let text = String(decoding: cause, as: UTF8.self)
      throw PolicyError(position, "this is not valid JSON: \(text)")
    }
    defer { unsafe json_decref(tree) }
    value = unsafe JSONNode.copy(tree)
    self.file = file
    place = ""
  }

  private init(_ value: JSON, of file: String, at place: String) {
    self.value = value
    self.file = file
    self.place = place
  }

  /// The value that libjansson holds at `node`; it limits how deep one lies in another.
  private static func copy(_ node: UnsafeMutablePointer<json_t>) -> JSON {
    switch unsafe node.pointee.type {
    case JSON_OBJECT:
      var members: [JSON.Member] = []
      var member = unsafe json_object_iter(node)
      while let current = unsafe member {
        if let name = unsafe json_object_iter_key(current),
          let value = unsafe json_object_iter_value(current)
        {
          unsafe members.append(JSON.Member(String(cString: name), copy(value)))
        }
        unsafe member = json_object_iter_next(node, current)
      }
      return .object(members)
    case JSON_ARRAY:
      return unsafe .array(
        (0..<json_array_size(node)).compactMap { index in
          unsafe json_array_get(node, index).map { unsafe copy($0) }
        })
    case JSON_STRING:
      return unsafe .string(json_string_value(node).map { unsafe String(cString: $0) } ?? "")
    case JSON_INTEGER: return unsafe .number(Int64(json_integer_value(node)))
    // No member of a policy is a fraction.
    case JSON_REAL: return .fraction(0, places: 1)
    case JSON_TRUE: return .boolean(true)
    case JSON_FALSE: return .boolean(false)
    default: return .null
    }
  }
}

// MARK: - What is expected

extension JSONNode {
  /// A mistake at this place.
  func mistake(_ message: String) -> PolicyError {
    PolicyError("\(file): \(place.isEmpty ? "" : place + ": ")\(message)")
  }

  /// The members of an object, each of which has to be one of `known`.
  func members(_ known: [String]) throws(PolicyError) -> [String: JSONNode] {
    guard case .object(let members) = value else { throw mistake("expected an object") }
    var nodes: [String: JSONNode] = [:]
    for member in members {
      guard known.contains(member.name) else {
        throw mistake(
          "unknown member \(ByteString(member.name).quoted)"
            + PolicyError.suggestion(for: member.name, among: known))
      }
      if case .null = member.value { continue }
      nodes[member.name] = JSONNode(
        member.value, of: file, at: place.isEmpty ? member.name : "\(place).\(member.name)")
    }
    return nodes
  }

  /// The elements of an array.
  func elements() throws(PolicyError) -> [JSONNode] {
    guard case .array(let values) = value else { throw mistake("expected an array") }
    var nodes: [JSONNode] = []
    for (index, value) in values.enumerated() {
      nodes.append(JSONNode(value, of: file, at: "\(place)[\(String(index))]"))
    }
    return nodes
  }

  /// The elements of an array of texts.
  func texts() throws(PolicyError) -> [String] {
    var texts: [String] = []
    for element in try elements() { texts.append(try element.text()) }
    return texts
  }

  /// A text.
  func text() throws(PolicyError) -> String {
    guard case .string(let text) = value else { throw mistake("expected a string") }
    return text
  }

  /// A whole number from 0 on.
  func number(atMost most: UInt64 = .max) throws(PolicyError) -> UInt64 {
    guard case .number(let number) = value, let number = UInt64(exactly: number), number <= most
    else {
      throw mistake("expected a whole number" + (most == .max ? "" : " up to \(String(most))"))
    }
    return number
  }
}
