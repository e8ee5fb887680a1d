// SPDX-License-Identifier: Apache-2.0
// Settings as tests write them, and without the places of their options.

import Sandbox
import Text

extension WrittenOption {
  /// The same, as if it had been typed.
  var typed: WrittenOption { WrittenOption(name) }
}

extension Setting {
  /// A value of an option that was typed.
  init(_ value: Value, _ name: String) { self.init(value, WrittenOption(name)) }

  /// The same, as if its option had been typed.
  var typed: Setting { Setting(value, option.typed) }
}

extension Sandbox {
  /// The same sandbox, as if all of its options had been typed.
  var typed: Sandbox {
    var sandbox = self
    sandbox.filesystem = filesystem.map {
      FilesystemOperation($0.action, option: $0.option.typed, parents: $0.parents)
    }
    sandbox.lockFiles = lockFiles.map(\.typed)
    sandbox.filters = filters.map(\.typed)
    sandbox.limits = limits.map(\.typed)
    sandbox.network.allowed = network.allowed.map(\.typed)
    sandbox.network.denied = network.denied.map(\.typed)
    sandbox.network.published = network.published.map(\.typed)
    sandbox.network.afterShare = network.afterShare?.map(\.typed)
    sandbox.network.share = network.share?.typed
    sandbox.channels.sync = channels.sync.map(\.typed)
    func type<Value>(_ path: WritableKeyPath<Sandbox, Setting<Value>?>) {
      sandbox[keyPath: path] = self[keyPath: path]?.typed
    }
    for path: WritableKeyPath<Sandbox, Setting<CInt>?> in [
      \.joined.user, \.joined.secondUser, \.joined.pid, \.joined.network, \.channels.information,
      \.channels.status, \.channels.report, \.channels.networkLog,
      \.channels.block, \.channels.mapsWritten,
    ] {
      type(path)
    }
    for path: WritableKeyPath<Sandbox, Setting<ByteString>?> in [
      \.name, \.executionLabel, \.fileLabel, \.hostname, \.domainName, \.workingDirectory,
      \.network.shared,
    ] {
      type(path)
    }
    for path in [\Sandbox.user, \Sandbox.group] { type(path) }
    for path in [\Sandbox.clocks.monotonic, \Sandbox.clocks.boottime] { type(path) }
    for path in [\Sandbox.landlock, \Sandbox.landlockToTry] { type(path) }
    for path: WritableKeyPath<Sandbox, WrittenOption?> in [
      \.disableUserNamespaces, \.assertNoUserNamespaces, \.closeDescriptors, \.newSession,
      \.terminal,
      \.tellsUse, \.explain, \.dieWithParent, \.killOnExit, \.commandAsInit, \.becomeCommand,
      \.keep, \.detach,
      \.single, \.network.link,
      \.buses.optional,
    ] {
      sandbox[keyPath: path] = self[keyPath: path]?.typed
    }
    if let option = buses.session?.option { sandbox.buses.session?.option = option.typed }
    if let option = buses.system?.option { sandbox.buses.system?.option = option.typed }
    return sandbox
  }
}
