# Shared by ./malssi and ./check: installs packages, configures and builds. Sourced by bash with $root set; every line it
# prints goes to standard error.

say() { printf 'malssi: %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# packages_for ROLE...: the names that tools/packages.txt lists for these roles.
packages_for() {
  local name role rest
  while read -r name role rest; do
    case " $* " in *" $role "*) [[ $name == \#* ]] || printf '%s\n' "$name" ;; esac
  done <"$root/tools/packages.txt"
}

# The packages among the arguments that are not installed. An npm that came with another nodejs (nodesource's has its own, and
# Debian's cannot be installed beside it) is as good.
missing_packages() {
  local installed name
  installed=" $(dpkg-query -W -f '${Package}/${db:Status-Status} ' "$@" 2>/dev/null)"
  for name in "$@"; do
    [[ $name == npm ]] && command -v npm >/dev/null && continue
    [[ $installed == *" $name/installed "* ]] || printf '%s\n' "$name"
  done
}

# as_root COMMAND...: runs it as root, through sudo where need be; sudo asks for a password only on a terminal.
[[ -t 0 && -t 2 ]] && sudo=(sudo) || sudo=(sudo -n)
as_root() {
  if ((EUID == 0)); then "$@"; else "${sudo[@]}" "$@"; fi
}

# install_packages ROLE...: installs what is missing, and nothing when nothing is.
install_packages() {
  command -v dpkg-query >/dev/null || return 0 # not Debian: CMake says what it misses
  local missing log=$root/build/install.log
  mapfile -t missing < <(missing_packages $(packages_for "$@"))
  ((${#missing[@]})) || return 0
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "these Debian packages are missing; install them as root and try again: apt-get install ${missing[*]}"
  fi
  say "installing ${#missing[@]} Debian packages (log: build/install.log): ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  local install=("${apt[@]}" install --no-install-recommends "${missing[@]}")
  {
    as_root "${install[@]}" || { as_root "${apt[@]}" update && as_root "${install[@]}"; }
  } >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    fail "apt-get could not install: ${missing[*]} (see above and build/install.log)"
  }
}

# configure PRESET: writes build/PRESET/build.ninja.
configure() {
  local log=$root/build/$1.configure.log
  (cd "$root" && cmake --preset "$1") >"$log" 2>&1 || {
    cat "$log" >&2
    fail "CMake could not configure build/$1 (see above)"
  }
}

# Reads ninja's output: tells what is going on, keeps compilers' messages for the end.
follow_build() {
  local line told='' bar=''
  [[ -t 2 ]] && bar=yes
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*) ]]; then
      [[ ${BASH_REMATCH[3]} == Re-* ]] && continue # ninja looks after itself
      [[ $told ]] || say "building $1 (${BASH_REMATCH[2]} steps; the first time takes some minutes)"
      told=yes
      [[ $bar ]] && printf '\r\033[K  %s of %s' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
    else
      [[ $line != malssi:\ * ]] || say "${line#malssi: }" # a word to the user from a step
      printf '%s\n' "$line"
    fi
  done >"$root/build/$1.build.log"
  [[ $bar && $told ]] && printf '\r\033[K' >&2
  return 0
}

# build PRESET TARGET...: builds what changed; quiet when nothing did.
build() {
  local preset=$1
  shift
  [[ -f $root/build/$preset/build.ninja ]] || configure "$preset"
  ninja -C "$root/build/$preset" "$@" 2>&1 | follow_build "$preset"
  if ((PIPESTATUS[0])); then
    grep -vE '^(ninja: Entering|/[^ ]*(ccache|c\+\+) )' "$root/build/$preset.build.log" >&2
    fail "the build failed (see above)"
  fi
  # Under sudo, leave the build to the user who called.
  if ((EUID == 0)) && [[ ${SUDO_UID:-} && $(stat -c %u "$root") == "$SUDO_UID" ]]; then
    chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$root/build"
  fi
}

# One at a time: a second caller waits here until the first lets go (unlock, or its end).
lock() {
  mkdir -p "$root/build" 2>/dev/null && exec 9>"$root/build/.lock" || fail "cannot write to $root/build"
  flock -n 9 || {
    say "waiting for another build of this folder"
    flock 9
  }
}
unlock() { exec 9>&-; }
