// SPDX-License-Identifier: Apache-2.0
// The findings of --doctor, for people and for programs.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// Examines this machine.
  /// - Returns: The status to exit with: 0 where the basic sandbox works.
  func examine(_ draft: Draft) -> UInt8 {
    let findings = Doctor(launcher: self).findings()
    let works = findings.allSatisfy { $0.works || !$0.isRequired }
    let text =
      draft.isJSON
      ? DoctorReport.json(findings, works: works).text
      : DoctorReport.table(findings, works: works, hasColours: hasColours)
    let status = print(text, draft)
    if status != 0 { return status }
    return works ? 0 : 1
  }

  /// Whether standard output is a terminal whose user wants colours.
  ///
  /// See https://no-color.org.
  private var hasColours: Bool {
    guard Terminal.path(of: 1) != nil else { return false }
    let hasWish = environment.contains {
      $0.bytes.starts(with: Array("NO_COLOR=".utf8)) && $0.count > 9
    }
    return !hasWish && !environment.contains("TERM=dumb")
  }
}

/// The report.
private enum DoctorReport {
  static func table(_ findings: [Finding], works: Bool, hasColours: Bool) -> String {
    let width = findings.map(\.name.count).max() ?? 0
    var text = ""
    for finding in findings {
      let mark = finding.works ? "works" : "FAILS"
      let colour = finding.works ? "\u{1b}[32m" : "\u{1b}[31m"
      text += "  " + (hasColours ? colour + mark + "\u{1b}[0m" : mark) + "  " + finding.name
      if !finding.detail.isEmpty {
        text += String(repeating: " ", count: width - finding.name.count + 2) + finding.detail
      }
      text += "\n"
      if !finding.works { text += "         needed for: \(finding.purpose)\n" }
      for line in finding.advice { text += "         " + line + "\n" }
    }
    text +=
      works
      ? "\nThe basic sandbox works here.\n"
      : "\nThe basic sandbox does not work here: see what fails at the top.\n"
    return text
  }

  static func json(_ findings: [Finding], works: Bool) -> JSON {
    .object([
      .init("works", .boolean(works)),
      .init(
        "checks",
        .array(
          findings.map { finding in
            .object([
              .init("name", .string(finding.name)), .init("works", .boolean(finding.works)),
              .init("required", .boolean(finding.isRequired)),
              .init("purpose", .string(finding.purpose)),
              .init("detail", .string(finding.detail)),
              .init("options", .array(finding.line.map { .bytes($0) })),
              .init("advice", .array(finding.advice.map { .string($0) })),
            ])
          })),
    ])
  }
}
