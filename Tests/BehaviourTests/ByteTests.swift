// SPDX-License-Identifier: Apache-2.0
// Words are bytes: spaces, newlines and invalid UTF-8 arrive as typed.

import TestSupport
import Testing

@Suite("Bytes")
struct ByteTests {
  /// Every byte that a word can hold, in bash's notation, in a variable.
  private static let everyByte = """
    every=
    for number in {1..255}; do printf -v byte '\\\\x%02x' $number; every+=$(printf "$byte."); done
    every=${every//./}.

    """

  // Red: file names and messages of other languages are damaged on their way to the command.
  @Test("An argument of all bytes arrives unchanged", arguments: ["", "--unshare-pid"])
  func arguments(_ form: String) throws {
    let outcome = try Session().run(
      ByteTests.everyByte + """
        nestbox --ro-bind / / \(form) printf '%s\\0' "$every" $'\\xff' $'a\\n b' '' > inside
        printf '%s\\0' "$every" $'\\xff' $'a\\n b' '' > outside
        cmp inside outside && wc -c < inside
        """)
    #expect(outcome.output == "\(256 + 2 + 5 + 1)", "\(outcome.output) \(outcome.errors)")
  }

  // Red: the same, in the environment.
  @Test func `Values of all bytes arrive unchanged in the environment`() throws {
    let outcome = try Session().run(
      ByteTests.everyByte + """
        INHERITED="$every" nestbox --ro-bind / / --setenv SET "$every" --args 3 \\
          printenv -0 INHERITED SET READ > inside 3< <(printf '%s\\0' --setenv READ "$every")
        printf '%s\\0' "$every" "$every" "$every" | cmp - inside && echo same
        """)
    #expect(outcome.output == "same", "\(outcome.errors)")
  }

  // Red: files whose names are not UTF-8 cannot be bound, or others are bound instead.
  @Test func `Paths may hold any bytes`() throws {
    let outcome = try Session().run(
      #"""
      name=$'\xff\xfe new\nline \t'
      mkdir "$name"; echo content > "$name/$name"
      nestbox --ro-bind / / --tmpfs /mnt --ro-bind "$name" "/mnt/$name" \
        --symlink "$name" "/mnt/link$name" --dir "/mnt/dir$name" --file 3 "/mnt/file$name" \
        --chdir "/mnt/$name" bash -c '
          cat "$1"; readlink "/mnt/link$1"; test -d "/mnt/dir$1" && cat "/mnt/file$1"
          printf %s "$PWD"' bash "$name" 3<<< data > inside
      printf '%s\n' content "$name" data > outside; printf %s "/mnt/$name" >> outside
      cmp inside outside && echo same
      """#)
    #expect(outcome.output == "same", "\(outcome.errors)")
  }

  // Red: `a//b/`, which means something to a command, is normalised.
  @Test func `Words that look like paths are left alone`() throws {
    let outcome = try Session().run(
      #"""
      nestbox --ro-bind / / --setenv A 'http://a//b/' --argv0 'x//y/' \
        bash -c 'echo "$0 $1 $A"' 'x//y/' 'c//d/./'
      """#)
    #expect(outcome.output == "x//y/ c//d/./ http://a//b/", "\(outcome.errors)")
  }

  // Red: names of machines and commands are damaged.
  @Test func `Host name and argv0 may hold any bytes`() throws {
    let outcome = try Session().run(
      #"""
      name=$'a\xff\xfe b'
      nestbox --ro-bind / / --unshare-uts --hostname "$name" --argv0 "$name" \
        bash -c 'cat /proc/sys/kernel/hostname; tr "\0" "\n" < /proc/$$/cmdline | head -n 1' > inside
      printf '%s\n' "$name" "$name" | cmp - inside && echo same
      """#)
    #expect(outcome.output == "same", "\(outcome.errors)")
  }

  // Red: tools that pass all their options on the command line meet a limit.
  @Test func `Command lines of more than 9000 words are read`() throws {
    let outcome = try Session().run(
      """
      options=(); for i in {1..4000}; do options+=(--setenv "V$i" "$i"); done
      nestbox --ro-bind / / "${options[@]}" bash -c 'echo $((V1 + V4000))'
      nestbox --ro-bind / / --args 3 bash -c 'echo $((V1 + V4000))' 3< <(printf '%s\\0' "${options[@]}")
      """)
    #expect(outcome.lines == ["4001", "4001"], "\(outcome.errors)")
  }
}
