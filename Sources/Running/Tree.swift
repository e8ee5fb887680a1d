// SPDX-License-Identifier: Apache-2.0
// Processes and mounts below each other, as lines.

/// A thing that has a number, and the number of the one above it.
struct TreeNode {
  let number: Int
  let parent: Int
  /// Its line.
  let text: String
}

extension [TreeNode] {
  /// No line begins further to the right: a sandbox can nest its processes as deeply as it likes.
  private static var deepest: Int { 24 }

  /// One line for each thing, below its parent's line, otherwise in this order.
  ///
  /// The kernel may have reused a number during the survey, so that a thing seems to be below itself:
  /// its line then begins at the left.
  var treeLines: [String] {
    let known = Set(map(\.number))
    var below: [Int: [Int]] = [:]
    var tops: [Int] = []
    for (index, node) in enumerated() {
      if node.parent != node.number, known.contains(node.parent) {
        below[node.parent, default: []].append(index)
      } else {
        tops.append(index)
      }
    }
    var lines: [String] = []
    var isDrawn = [Bool](repeating: false, count: count)
    for top in tops + Array<Int>(indices) where !isDrawn[top] {
      // The last one is drawn next.
      var open = [(index: top, branch: "", indent: "", depth: 0)]
      while let next = open.popLast() {
        guard !isDrawn[next.index] else { continue }
        isDrawn[next.index] = true
        let node = self[next.index]
        lines.append(next.branch + node.text)
        let children = below[node.number] ?? []
        for (place, child) in children.enumerated().reversed() {
          let isLast = place == children.count - 1
          let isDeep = next.depth >= Self.deepest
          let indent = isDeep ? next.indent : next.indent + (isLast ? "   " : "│  ")
          open.append((child, next.indent + (isLast ? "└─ " : "├─ "), indent, next.depth + 1))
        }
      }
    }
    return lines
  }
}
