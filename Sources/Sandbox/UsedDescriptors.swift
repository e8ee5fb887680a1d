// SPDX-License-Identifier: Apache-2.0
// The caller's descriptors that a sandbox uses.

extension Sandbox {
  /// Calls `body` with every descriptor of the caller's that the sandbox uses, and the option that
  /// named it.
  func forEachDescriptor<Failure: Error>(
    _ body: (WrittenOption, CInt) throws(Failure) -> Void
  ) throws(Failure) {
    for operation in filesystem {
      if let number = operation.descriptor { try body(operation.option, number) }
    }
    for filter in filters { try body(filter.option, filter.value) }
    try joined.forEach { (_, setting) throws(Failure) in try body(setting.option, setting.value) }
    try channels.forEach { (setting) throws(Failure) in try body(setting.option, setting.value) }
  }

  /// Calls `body` with the descriptors that are used up once the new root is made.
  func forEachSource(_ body: (CInt) -> Void) {
    for operation in filesystem {
      if let number = operation.descriptor { body(number) }
    }
    if let number = joined.user?.value { body(number) }
    if let number = joined.pid?.value { body(number) }
    if let number = joined.network?.value { body(number) }
    if let number = channels.mapsWritten?.value { body(number) }
  }

  /// The descriptors that are made use of after that.
  var laterDescriptors: [CInt] {
    var numbers = filters.map(\.value)
    if let number = joined.secondUser?.value { numbers.append(number) }
    if let number = channels.block?.value { numbers.append(number) }
    numbers += channels.sync.map(\.value)
    return numbers
  }
}
