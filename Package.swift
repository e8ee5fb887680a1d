// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// `swift build` needs nothing else and uses no unsafe flag, so that other packages can depend on
// this one. `make build` adds the flags that make the executable static and faster to start.

/// The settings of every Swift target: the compiler proves what it can prove.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Roots of which the trees of mounts are noncopyable (Sources/Sandbox/Operations/RootBuilder.swift).
/// SE-0503 is part of the language from Swift 6.4 on.
#if compiler(>=6.4)
  let noncopyableAssociatedTypes: [SwiftSetting] = []
#else
  let noncopyableAssociatedTypes: [SwiftSetting] = [
    .enableExperimentalFeature("SuppressedAssociatedTypes")
  ]
#endif

/// Modules of which a plain launch needs little: `make build` has them small rather than fast.
let rare: [SwiftSetting] =
  Context.environment["NESTBOX_TUNED"] == nil ? [] : [.unsafeFlags(["-Osize"])]

let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "nestbox",
  products: [
    .executable(name: "nestbox", targets: ["nestbox"]),
    .library(name: "Nestbox", targets: ["Nestbox"]),
    .library(
      name: "Sandbox",
      targets: [
        "Sandbox", "Options", "Review", "Running", "Seccomp", "Network", "Linux", "Text",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0")
  ],
  targets: [
    .target(name: "CLinux", cSettings: strictC),
    .systemLibrary(name: "CLibcap", providers: [.apt(["libcap-dev"])]),
    .systemLibrary(name: "CLibseccomp", providers: [.apt(["libseccomp-dev"])]),
    .systemLibrary(name: "CLibjansson", providers: [.apt(["libjansson-dev"])]),

    .target(name: "Text", dependencies: [system], swiftSettings: strict),
    .target(name: "Network", dependencies: ["Text"], swiftSettings: strict + rare),
    .target(
      name: "Linux", dependencies: ["Text", "CLinux", "CLibcap", system], swiftSettings: strict),
    .target(
      name: "Relay", dependencies: ["Linux", "Network", "Seccomp", "Text", system],
      swiftSettings: strict + rare),
    .target(
      name: "Running", dependencies: ["Network", "Linux", "Text", system],
      swiftSettings: strict + rare),
    .target(
      name: "Seccomp", dependencies: ["Linux", "Text", "CLibseccomp", "CLibjansson", system],
      swiftSettings: strict + rare),
    .target(
      name: "Sandbox", dependencies: ["Linux", "Network", "Relay", "Seccomp", "Text", system],
      swiftSettings: strict + noncopyableAssociatedTypes),
    .target(
      name: "Options",
      dependencies: ["Sandbox", "Running", "Seccomp", "Network", "Linux", "Text", system],
      swiftSettings: strict + rare),
    .target(
      name: "Review", dependencies: ["Sandbox", "Running", "Linux", "Text", system],
      swiftSettings: strict + rare),
    .target(
      name: "Launcher",
      dependencies: [
        "Options", "Review", "Sandbox", "Running", "Seccomp", "Network", "Linux", "Text", system,
      ],
      swiftSettings: strict + rare),

    .executableTarget(
      name: "nestbox", dependencies: ["Launcher"], exclude: ["layout.ld", "order.txt"],
      cSettings: strictC),

    // For other programs: it starts the executable, which does not contain it.
    .target(name: "Nestbox", dependencies: ["CLinux"], swiftSettings: strict),

    // What the tests below share.
    .target(
      name: "TestSupport", path: "Tests/TestSupport", exclude: ["Scripts"], swiftSettings: strict),

    // The modules, each by itself.
    .testTarget(
      name: "TextTests", dependencies: ["Text", "TestSupport", system], swiftSettings: strict),
    .testTarget(
      name: "NetworkTests", dependencies: ["Network", "Text", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LinuxTests", dependencies: ["Linux", "CLinux", "Text", "TestSupport", system],
      swiftSettings: strict),
    .testTarget(
      name: "RunningTests", dependencies: ["Running", "Linux", "Text", system],
      swiftSettings: strict),
    .testTarget(
      name: "ReviewTests", dependencies: ["Review", "Linux", "Text", system],
      swiftSettings: strict),
    .testTarget(
      name: "SeccompTests", dependencies: ["Seccomp", "Linux", "Text", "CLibseccomp", system],
      swiftSettings: strict),
    .testTarget(
      name: "SandboxTests", dependencies: ["Sandbox", "Linux", "Text", "TestSupport", system],
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
    // by the library for them,
    .testTarget(
      name: "NestboxTests", dependencies: ["Nestbox", "TestSupport"], swiftSettings: strict),
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
