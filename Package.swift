// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Every Swift target is compiled with these: what the compiler can prove, it has to prove.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// What a launch is made of.
///
/// Types are found by calls instead of by name, as each name that is looked up at run time costs
/// microseconds, and values are destroyed without their type; each function can be moved by the
/// linker (Sources/nestbox/order.txt). Without these the executable does the same, only later.
let swift: [SwiftSetting] =
  strict + [
    .unsafeFlags([
      "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors",
      "-Xfrontend", "-disable-type-layout", "-Xfrontend", "-function-sections",
    ])
  ]

let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

/// One static executable: it starts in the time of a C program and needs nothing at run time.
let staticExecutable: [LinkerSetting] = [
  .unsafeFlags([
    "-static-executable", "-use-ld=lld", "-Xlinker", "--gc-sections",
    "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/nestbox/order.txt",
    "-Xlinker", "--no-warn-symbol-ordering",
    "-Xlinker", "--defsym=linux_constants_start=ADDR(.rodata)",
    "-Xlinker", "--defsym=linux_constants_end=ADDR(.rodata)+SIZEOF(.rodata)",
  ])
]

/// `make memory` and `make coverage` watch the executable from inside, with libraries that are no
/// part of a static one.
let isInstrumented = Context.environment["NESTBOX_INSTRUMENTED"] != nil

/// Where its processes count the lines that they reach, for `make coverage`.
let profile: [CSetting] =
  Context.environment["NESTBOX_PROFILE"].map { [.define("NESTBOX_PROFILE", to: "\"\($0)\"")] } ?? []

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "nestbox",
  dependencies: [
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0")
  ],
  targets: [
    .target(name: "CLinux", cSettings: strictC),
    .systemLibrary(name: "CLibcap", providers: [.apt(["libcap-dev"])]),
    .systemLibrary(name: "CLibseccomp", providers: [.apt(["libseccomp-dev"])]),

    .target(name: "Text", dependencies: [system], swiftSettings: swift),
    .target(
      name: "Linux", dependencies: ["Text", "CLinux", "CLibcap", system], swiftSettings: swift),
    .target(
      name: "Seccomp", dependencies: ["Linux", "Text", "CLibseccomp", system], swiftSettings: swift),
    .target(
      name: "Sandbox", dependencies: ["Linux", "Seccomp", "Text", system], swiftSettings: swift),
    .target(
      name: "Options", dependencies: ["Sandbox", "Seccomp", "Linux", "Text", system],
      swiftSettings: swift),
    .target(
      name: "Launcher", dependencies: ["Options", "Sandbox", "Seccomp", "Linux", "Text", system],
      swiftSettings: swift),

    .executableTarget(
      name: "nestbox", dependencies: ["Launcher"], exclude: ["order.txt"],
      cSettings: strictC + profile, linkerSettings: isInstrumented ? [] : staticExecutable),

    // What the tests below share.
    .target(
      name: "TestSupport", path: "Tests/TestSupport", exclude: ["Scripts"], swiftSettings: strict),

    // The modules, each by itself.
    .testTarget(
      name: "TextTests", dependencies: ["Text", "TestSupport", system], swiftSettings: strict),
    .testTarget(
      name: "LinuxTests", dependencies: ["Linux", "Text", "TestSupport", system],
      swiftSettings: strict),
    .testTarget(
      name: "SeccompTests", dependencies: ["Seccomp", "Linux", "Text", system],
      swiftSettings: strict),
    .testTarget(
      name: "SandboxTests", dependencies: ["Sandbox", "Text", "TestSupport", system],
      swiftSettings: strict),
    .testTarget(
      name: "OptionsTests",
      dependencies: ["Options", "Sandbox", "Linux", "Text", "TestSupport", system],
      exclude: ["Golden"], swiftSettings: strict),

    // The executable, which these start and do not link: what it does,
    .testTarget(
      name: "BehaviourTests", dependencies: ["TestSupport"],
      exclude: ["Cases", "Programs", "Completion"], swiftSettings: strict),
    // against a hostile command,
    .testTarget(
      name: "EscapeTests", dependencies: ["TestSupport"], exclude: ["Hostile"],
      swiftSettings: strict),
    // where its system calls fail,
    .testTarget(
      name: "FaultTests", dependencies: ["TestSupport"], exclude: ["Injector"],
      swiftSettings: strict),
    // started by programs that sandbox others,
    .testTarget(
      name: "ClientTests", dependencies: ["TestSupport"], exclude: ["Scripts"],
      swiftSettings: strict),
    // with programs of a desktop inside,
    .testTarget(
      name: "DesktopTests", dependencies: ["TestSupport"], exclude: ["Scripts"],
      swiftSettings: strict),
    // and beside bubblewrap.
    .testTarget(
      name: "SideBySideTests", dependencies: ["TestSupport"], exclude: ["Probe"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
