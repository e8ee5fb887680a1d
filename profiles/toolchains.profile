# SPDX-License-Identifier: Apache-2.0
# Runs the tools that you have installed for yourself: like untrusted, with them, read-only.
# Their programs and libraries are shown, and your PATH counts as far as it is shown. Their settings
# are left out, as these may hold tokens: ~/.npmrc, ~/.cargo/config.toml, ~/.config/mise.
--profile untrusted

# The order in which you find programs.
--keep-env PATH

# Rust: rustup's toolchains, and what cargo has installed.
--ro-same-try ${RUSTUP_HOME:-${HOME}/.rustup}
--ro-same-try ${CARGO_HOME:-${HOME}/.cargo}/bin
--ro-same-try ${CARGO_HOME:-${HOME}/.cargo}/env
# Not CARGO_HOME, which is also where cargo writes.
--keep-env RUSTUP_HOME,RUSTUP_TOOLCHAIN

# Node: nvm, fnm, volta, n, pnpm and npm's global packages; deno and bun.
--ro-same-try ${NVM_DIR:-${HOME}/.nvm}
--ro-same-try ${FNM_DIR:-${XDG_DATA_HOME:-${HOME}/.local/share}/fnm}
--ro-same-try ${VOLTA_HOME:-${HOME}/.volta}
--ro-same-try ${N_PREFIX:-${HOME}/n}/bin
--ro-same-try ${N_PREFIX:-${HOME}/n}/lib
--ro-same-try ${PNPM_HOME:-${XDG_DATA_HOME:-${HOME}/.local/share}/pnpm}
--ro-same-try ${HOME}/.npm-global
--ro-same-try ${DENO_INSTALL:-${HOME}/.deno}/bin
--ro-same-try ${BUN_INSTALL:-${HOME}/.bun}/bin
--keep-env NVM_DIR,NVM_BIN,FNM_DIR,FNM_MULTISHELL_PATH,VOLTA_HOME,N_PREFIX,PNPM_HOME
# fnm puts a directory of links for each shell in PATH.
--ro-bind-try ${FNM_MULTISHELL_PATH:-} ${FNM_MULTISHELL_PATH:-}

# Python: pyenv, what pip, pipx and uv have installed, and the active environment. Of that, the
# directories that an environment has, in case the variable names a larger one.
--ro-same-try ${PYENV_ROOT:-${HOME}/.pyenv}
--ro-bind-glob ${HOME}/.local/lib/python*
--ro-same-try ${PIPX_HOME:-${XDG_DATA_HOME:-${HOME}/.local/share}/pipx}/venvs
--ro-same-try ${HOME}/.local/pipx/venvs
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/uv/python
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/uv/tools
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/pyvenv.cfg
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/bin
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/lib
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/lib64
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/include
--ro-same-try ${VIRTUAL_ENV:-/nonexistent}/share
--ro-same-try ${CONDA_PREFIX:-/nonexistent}/bin
--ro-same-try ${CONDA_PREFIX:-/nonexistent}/lib
--ro-same-try ${CONDA_PREFIX:-/nonexistent}/include
--ro-same-try ${CONDA_PREFIX:-/nonexistent}/share
--ro-same-try ${CONDA_PREFIX:-/nonexistent}/conda-meta
--keep-env PYENV_ROOT,PYENV_VERSION,PIPX_HOME,VIRTUAL_ENV,VIRTUAL_ENV_PROMPT
--keep-env CONDA_PREFIX,CONDA_DEFAULT_ENV

# Go: its own and downloaded releases, and what `go install` has made.
--ro-bind-glob ${HOME}/sdk/go*
--ro-same-try ${GOROOT:-${HOME}/go}/bin
--ro-same-try ${GOROOT:-${HOME}/go}/pkg/tool
--ro-same-try ${GOROOT:-${HOME}/go}/src
--ro-same-try ${GOROOT:-${HOME}/go}/lib
--ro-same-try ${GOPATH:-${HOME}/go}/bin
--keep-env GOROOT,GOPATH,GOBIN,GOTOOLCHAIN

# Java and its neighbours: sdkman and jenv.
--ro-same-try ${SDKMAN_DIR:-${HOME}/.sdkman}/candidates
--ro-same-try ${HOME}/.jenv
--ro-same-try ${HOME}/.jdks
--keep-env SDKMAN_DIR,JAVA_HOME

# For many languages: mise, asdf; and the managers of other ones.
--ro-same-try ${MISE_DATA_DIR:-${XDG_DATA_HOME:-${HOME}/.local/share}/mise}
--ro-same-try ${ASDF_DATA_DIR:-${ASDF_DIR:-${HOME}/.asdf}}
--ro-same-try ${HOME}/.tool-versions
--ro-same-try ${RBENV_ROOT:-${HOME}/.rbenv}
--ro-same-try ${HOME}/.rvm
--ro-same-try ${HOME}/.opam
--ro-same-try ${HOME}/.ghcup
--ro-same-try ${HOME}/.elan
--ro-same-try ${HOME}/.juliaup
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/swiftly
--keep-env MISE_DATA_DIR,ASDF_DATA_DIR,ASDF_DIR,RBENV_ROOT,RBENV_VERSION,OPAM_SWITCH_PREFIX
--keep-env CAML_LD_LIBRARY_PATH,OCAML_TOPLEVEL_PATH,GEM_HOME,GEM_PATH

# Programs of your own.
--ro-same-try ${HOME}/.local/bin
--ro-same-try ${HOME}/bin
