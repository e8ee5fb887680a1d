// SPDX-License-Identifier: Apache-2.0
// The outcome of an operation carried out on paper.

internal import Linux
internal import SystemPackage
internal import Text

/// The outcome of one operation.
struct PlannedOperation {
  let operation: FilesystemOperation
  /// Its number, from 0 on.
  let index: Int
  /// Where its source leads.
  var source: FoundFile?
  /// Where its destination leads, inside.
  var place: FilePath?
  /// Whether it does nothing, because its object does not exist.
  var isSkipped = false
  /// Whether it writes a file, which a mount at the same path would hide.
  var isContent = false
  /// Why it will fail.
  var problem: PlanProblem?
  /// The directory of the host in which something could not be created.
  var obstacle: FilePath?
  /// The operation that covers all of it.
  var coveredBy: Int?

  /// The path that the operation shows read-only, if it shows a file of the host where that lies.
  var protectedPlace: FilePath? {
    operation.action.isLearned ? guardedPlace : nil
  }

  /// The path at which the operation shows a file of the host read-only, wherever that lies.
  var guardedPlace: FilePath? {
    switch operation.action {
    case .bind(_, let place, .readOnly, _), .same(let place, _), .show(let place, .readOnly):
      return place.isAbsolute ? place.lexicallyNormalized() : nil
    default: return nil
    }
  }
}

/// Why an operation will fail.
struct PlanProblem: Equatable {
  /// What a launch would report.
  let error: LaunchError
  /// The directory in which something could not be created, if it is the host's.
  let host: FilePath?

  /// The kernel's reason.
  var errno: Errno { error.cause.errno }

  /// The path that fails: inside, or a source.
  var subject: FilePath { (error.subject ?? "").path }
}

extension RootModel {
  /// Carries out an operation on paper.
  mutating func plan(_ operation: FilesystemOperation, _ index: Int) -> PlannedOperation {
    var planned = PlannedOperation(operation: operation, index: index)
    current = planned
    var failure: LaunchError?
    do throws(LaunchError) {
      try perform(operation)
    } catch {
      failure = error
    }
    planned = current ?? planned
    current = nil
    planned.source = mounts.first { $0.operation == index && $0.bind == nil }?.source
    if let failure {
      planned.problem = PlanProblem(error: failure, host: planned.obstacle)
    }
    return planned
  }

  /// Notes which operations a later one covers completely.
  ///
  /// Profiles can have thousands of operations: each looks for others at the directories around it, and not at
  /// the places of all.
  func markCovered(_ operations: inout [PlannedOperation]) {
    var places = Array(repeating: [FilePath](), count: operations.count)
    var makers: [FilePath: [Int]] = [:]
    for mount in mounts where mount.bind == nil {
      guard let operation = mount.operation, let place = mount.place else { continue }
      places[operation].append(place)
      makers[place, default: []].append(operation)
    }
    for index in operations.indices {
      guard let place = operations[index].place else { continue }
      // A mere mount point has served its purpose.
      let isSeen = operations[index].isContent || !places[index].isEmpty
      let own = places[index].isEmpty ? [place] : places[index]
      let covers = own.map { place in
        Set(
          RootModel.around(place, andItself: isSeen)
            .flatMap { makers[$0] ?? [] }.filter { $0 > index })
      }
      let common = covers.dropFirst().reduce(covers.first ?? []) { $0.intersection($1) }
      operations[index].coveredBy = common.min()
    }
  }

  /// The directories around a place, up to `/`, and the place itself if that is wanted.
  private static func around(_ place: FilePath, andItself: Bool) -> [FilePath] {
    var paths = andItself ? [place] : []
    var path = place
    while path.removeLastComponent() { paths.append(path) }
    return paths
  }
}
