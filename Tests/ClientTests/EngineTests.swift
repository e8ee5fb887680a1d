// SPDX-License-Identifier: Apache-2.0
// The engines of docs/engines.md run jobs, where they are installed.

import Foundation
import TestSupport
import Testing

@Suite("Engines")
struct EngineTests {
  /// A directory with modules of Python that are not installed, for those who test them.
  private static let modules = ProcessInfo.processInfo.environment["NESTBOX_PYTHON_MODULES"] ?? ""

  // Red: the reports of a worker that is killed are lost, or those of others are wrong.
  @Test func `GNU parallel runs jobs on three workers over ssh, of which one is killed`() throws {
    try Script.run("parallel")
  }

  // Red: srun gets another status than nestbox's, or a step that is killed has a report.
  @Test func `Slurm runs jobs and passes their statuses on`() throws { try Script.run("slurm") }

  // Red: jobs of a worker that is killed have no reports.
  @Test func `Dask gives the jobs of a worker that is killed to others`() throws {
    try Script.run("dask", EngineTests.modules)
  }

  // Red: Snakemake takes a job that exceeded a limit for one that succeeded.
  @Test func `Snakemake repeats the jobs that exceeded a limit or failed, and no others`() throws {
    try Script.run("snakemake", EngineTests.modules)
  }
}
