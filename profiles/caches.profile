# SPDX-License-Identifier: Apache-2.0
# Keeps what package managers download: like untrusted, with caches of the sandbox that stay.
# Each project has its own, in ~/.cache/nestbox, and your caches are left alone: a command that put
# something bad into a shared cache would have it built into other projects.
--profile untrusted

# At the place where most programs look. A command could have put a link into its own caches, where those of a
# project below come to lie.
--no-links-in ${XDG_CACHE_HOME:-${HOME}/.cache}/nestbox/caches
--bind-kept ${XDG_CACHE_HOME:-${HOME}/.cache}/nestbox/caches${PROJECT:-/no-project}/.cache ${HOME}/.cache
--setenv XDG_CACHE_HOME ${HOME}/.cache

# Others have places of their own, and are told to look there.
--setenv CARGO_HOME ${HOME}/.cache/cargo
--setenv GOCACHE ${HOME}/.cache/go-build
--setenv GOMODCACHE ${HOME}/.cache/go-mod
--setenv npm_config_cache ${HOME}/.cache/npm
--setenv npm_config_store_dir ${HOME}/.cache/pnpm-store
--setenv YARN_GLOBAL_FOLDER ${HOME}/.cache/yarn-berry
--setenv BUN_INSTALL_CACHE_DIR ${HOME}/.cache/bun
--setenv DENO_DIR ${HOME}/.cache/deno
--setenv GRADLE_USER_HOME ${HOME}/.cache/gradle
--setenv MAVEN_ARGS -Dmaven.repo.local=${HOME}/.cache/maven
--setenv NUGET_PACKAGES ${HOME}/.cache/nuget
--setenv COURSIER_CACHE ${HOME}/.cache/coursier
--setenv CABAL_DIR ${HOME}/.cache/cabal
--setenv STACK_ROOT ${HOME}/.cache/stack
--setenv CCACHE_DIR ${HOME}/.cache/ccache
