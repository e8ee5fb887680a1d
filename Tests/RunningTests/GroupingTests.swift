// SPDX-License-Identifier: Apache-2.0
// Which processes make a sandbox together.

import Linux
import Testing
import Text

@testable import Running

@Suite("Grouping processes")
struct GroupingTests {
  /// The namespaces of the process that looks.
  private static let own = numbers()

  private static func numbers(_ others: [(Namespaces, UInt64)] = []) -> NamespaceNumbers {
    var numbers = NamespaceNumbers()
    for (index, (kind, _)) in Namespaces.names.enumerated() { numbers[kind] = UInt64(index + 1) }
    for (kind, number) in others { numbers[kind] = number }
    return numbers
  }

  /// A process of the host.
  private func outside(_ number: Int32, parent: Int32 = 1, _ name: ByteString = "bash")
    -> ProcessFacts
  {
    ProcessFacts(
      number: number, parent: parent, started: UInt64(number), name: name, user: 1000,
      numbersInside: [number], namespaces: GroupingTests.own)
  }

  /// A process in a user and a pid namespace.
  private func inside(
    _ number: Int32, parent: Int32, _ inner: Int32, user: UInt64 = 100, pid: UInt64 = 200,
    owner: UInt32 = 1000, _ others: [(Namespaces, UInt64)] = []
  ) -> ProcessFacts {
    ProcessFacts(
      number: number, parent: parent, started: UInt64(number), name: "x", user: 1000,
      numbersInside: [number, inner],
      namespaces: GroupingTests.numbers([(.user, user), (.pid, pid)] + others),
      outerUser: (100, owner), outerPid: 200)
  }

  private func survey(_ processes: [ProcessFacts]) -> Survey {
    Survey(processes: processes, own: GroupingTests.own, user: 1000)
  }

  // Red: init, which hides, and what the command has sandboxed once more count as other sandboxes.
  @Test func `Init and nested sandboxes belong to the sandbox around them`() throws {
    var initProcess = outside(11, parent: 10, "nestbox")
    initProcess.namespaces = nil
    initProcess.numbersInside = [11, 1]
    var deeper = inside(14, parent: 13, 3, user: 101, pid: 201)
    deeper.numbersInside = [14, 3, 1]
    let found = survey([
      outside(1, parent: 0, "init"), outside(9), outside(10, parent: 9, "nestbox"), initProcess,
      inside(12, parent: 11, 2), inside(13, parent: 11, 4), deeper,
    ]).sandboxes
    let sandbox = try #require(found.first)
    #expect(found.count == 1 && sandbox.processes.map(\.number) == [11, 12, 13, 14])
    #expect(sandbox.first.number == 11 && sandbox.command?.number == 12)
    #expect(sandbox.monitor?.number == 10 && sandbox.tool == .nestbox)
  }

  // Red: two sandboxes that share a user namespace, as containers of one engine do, look like one.
  @Test func `Two pid namespaces in one user namespace are two sandboxes`() {
    var second = inside(21, parent: 20, 1, pid: 300)
    second.outerPid = 300
    let found = survey([
      outside(10, "conmon"), outside(20, "conmon"), inside(11, parent: 10, 1), second,
    ]).sandboxes
    #expect(found.map { $0.first.number } == [11, 21] && found.map(\.tool) == [.podman, .podman])
  }

  // Red: the process that holds podman's own namespaces has an unknown maker, and a container with an
  // init shows that as its command. The numbers and names are those of podman 4.3 and LXC 5.0.
  @Test func `Containers of podman and LXC are marked as theirs, with their commands`() {
    func process(
      _ number: Int32, parent: Int32, _ name: ByteString, _ inner: Int32? = nil, user: UInt64,
      pid: UInt64? = nil
    ) -> ProcessFacts {
      var process = outside(number, parent: parent, name)
      process.numbersInside += inner.map { [$0] } ?? []
      process.namespaces = GroupingTests.numbers(
        [(.user, user)] + (pid.map { [(.pid, $0)] } ?? []))
      (process.outerUser, process.outerPid) = ((user, 1000), pid)
      return process
    }
    let found = survey([
      outside(1, parent: 0, "init"), process(20, parent: 1, "podman pause", user: 100),
      process(21, parent: 1, "conmon", user: 100),
      process(22, parent: 21, "sleep", 1, user: 100, pid: 300),
      process(31, parent: 1, "conmon", user: 100),
      process(32, parent: 31, "catatonit", 1, user: 100, pid: 301),
      process(33, parent: 32, "sleep", 2, user: 100, pid: 301),
      outside(40, "lxc-execute"), process(41, parent: 40, "init", 1, user: 101, pid: 302),
      process(42, parent: 41, "sleep", 2, user: 101, pid: 302),
    ]).sandboxes
    #expect(found.map { $0.first.number } == [20, 22, 32, 41])
    #expect(found.map { $0.command?.number } == [20, 22, 33, 42])
    #expect(found.map(\.tool) == [.podman, .podman, .podman, .lxc])
    #expect(found.map { $0.monitor?.number } == [nil, 21, 31, 40])
  }

  // Red: the list shows what other users run, or misses what runs with ids of a range.
  @Test func `A sandbox belongs to the user who made its user namespace`() {
    var mapped = inside(11, parent: 10, 1)
    mapped.user = 100_999
    #expect(survey([outside(10), mapped]).sandboxes.count == 1)
    #expect(survey([outside(10), inside(11, parent: 10, 1, owner: 1001)]).sandboxes.isEmpty)
  }

  // Red: a hiding process without new namespaces, such as ssh-agent, counts as a sandbox.
  @Test func `A process that hides is a sandbox only in a pid namespace of its own`() {
    var hidden = outside(11, parent: 10, "ssh-agent")
    hidden.namespaces = nil
    #expect(survey([outside(10), hidden]).sandboxes.isEmpty)
    hidden.numbersInside = [11, 1]
    #expect(survey([outside(10), hidden]).sandboxes.map { $0.first.number } == [11])
    hidden.user = 1001
    #expect(survey([outside(10), hidden]).sandboxes.isEmpty)
  }

  // Red: unshare without a user namespace, as root may do it, goes unseen.
  @Test func `Namespaces of other kinds make a sandbox by themselves`() {
    var process = outside(11, parent: 10)
    process.namespaces = GroupingTests.numbers([(.network, 500)])
    var other = outside(12, parent: 10)
    other.namespaces = GroupingTests.numbers([(.network, 501)])
    #expect(survey([outside(10), process, other]).sandboxes.map { $0.first.number } == [11, 12])
  }

  // Red: what a sandbox shares is not told, or itself is told as one of those that share.
  @Test func `Others in a namespace are reported by process and by sandbox`() throws {
    var second = inside(21, parent: 20, 1, user: 100, pid: 300, [(.network, 500)])
    second.outerPid = 300
    let survey = survey([
      outside(10), inside(11, parent: 10, 1, [(.network, 500)]), outside(20), second,
    ])
    let list = SandboxList(
      survey.sandboxes.map {
        ListedSandbox(sandbox: $0, network: .shared, words: ["x"], age: 0)
      })
    let inspection = Inspection(list.entries[0], in: list, survey)
    let network = try #require(inspection.namespaces.first { $0.kind == .network })
    #expect(network.name == "net:[500]" && !network.isOwn)
    #expect(network.members.map(\.number) == [11] && network.others.map(\.number) == [21])
    #expect(network.sandboxes.map { $0.first.number } == [21])
    let pid = try #require(inspection.namespaces.first { $0.kind == .pid })
    #expect(pid.others.isEmpty && pid.sandboxes.isEmpty)
  }
}
