# SPDX-License-Identifier: Apache-2.0
# Compiles and tests code that nobody vouches for: like untrusted, with the project writable.
# With --review . in the project's top directory, what it writes waits until you have looked:
#   nestbox --profile build --review . make; nestbox --changes NAME; nestbox --apply NAME
--profile untrusted

# The tree that the working directory lies in, as tools look for their files at its root; or the
# directory below that the command names by -C: the narrowest that the line names. A directory that
# holds more than a project or configures the account is refused. The command stays where it is
# called, as paths may begin there.
--bind ${PROJECT} ${PROJECT}
# The caller's own git executes hooks and settings of repositories later, outside. Existing ones are
# read-only; nestbox reports those that the command has made.
--ro-repositories ${PROJECT}

# Tools whose settings lie in /etc.
--ro-same-try /etc/perl
--ro-same-try /etc/fonts

# Variables that people set for a build. They usually hold no secret.
--keep-env CC,CXX,CPP,LD,AR,AS,NM,RANLIB,STRIP,OBJCOPY,PKG_CONFIG,PKG_CONFIG_PATH,YACC,LEX,FC
--keep-env CFLAGS,CXXFLAGS,CPPFLAGS,LDFLAGS,LDLIBS,FFLAGS,ARFLAGS,MAKE,MAKEFLAGS,GNUMAKEFLAGS
--keep-env DESTDIR,PREFIX,ARCH,CROSS_COMPILE,HOSTCC,HOSTCXX,DEBUG,VERBOSE,V,TARGET,JOBS,NPROC
--keep-env CMAKE_BUILD_TYPE,CMAKE_GENERATOR,CMAKE_BUILD_PARALLEL_LEVEL,CMAKE_PREFIX_PATH
--keep-env CMAKE_TOOLCHAIN_FILE,CTEST_PARALLEL_LEVEL,CTEST_OUTPUT_ON_FAILURE,NINJA_STATUS
--keep-env RUSTFLAGS,RUSTDOCFLAGS,RUST_BACKTRACE,RUST_LOG,RUSTC,RUSTC_WRAPPER,CARGO_BUILD_*
--keep-env CARGO_PROFILE_*,CARGO_TERM_*,CARGO_INCREMENTAL,CARGO_TARGET_DIR
--keep-env GOFLAGS,GOOS,GOARCH,GOARM,GOAMD64,GOEXPERIMENT,GOWORK,GO111MODULE,CGO_*
--keep-env JAVA_HOME,JAVA_OPTS,JAVA_TOOL_OPTIONS,MAVEN_OPTS,MAVEN_ARGS,GRADLE_OPTS
--keep-env NODE_ENV,NODE_OPTIONS,PYTHONPATH,PYTHONDONTWRITEBYTECODE,PYTHONUNBUFFERED,PYTHONHASHSEED
--keep-env PYTEST_ADDOPTS,SETUPTOOLS_SCM_PRETEND_VERSION*,SWIFT_EXEC,SDKROOT,ZIG_*
--keep-env CI,SOURCE_DATE_EPOCH,FORCE_COLOR,CLICOLOR,CLICOLOR_FORCE,ASAN_OPTIONS,UBSAN_OPTIONS
