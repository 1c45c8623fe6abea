/**
 * The way to a place in a container's root, for p2c's own hands: when a container starts again, or is looked at while it
 * does not run, any folder on that way may have become a link, and outside of the container's own root a link leads to
 * whatever p2c has there.
 */

/**
 * Shell functions, constant text, for after `p2c_enter`: the root's mount is `/c`, and in it lie files of the image, of the
 * container and of volumes that others may be writing to at this moment.
 *
 * `p2c_go KIND PATH` goes there part by part. A link is read as the container itself reads it, against its own root, as it
 * was when the container was made; `$links` counts them, and `$made` says whether a folder was made. One in the place of
 * /proc, /sys and /dev is replaced: what keeps containers apart lies there. Every step is judged by where it led, as the
 * kernel tells, for what was a folder a moment ago may be none now; who is where he is mounts on `.`, and nothing is looked
 * up again.
 *
 * Kinds: `folder` ends in it, and makes it where it is missing, or is no folder; `within` too, but replaces nothing;
 * `there` makes nothing, and fails (1) where it is missing; `file` ends in the folder above, with its name, which is that
 * of something, in `$name`.
 */
export const WALK = `
p2c_refuse() {
  echo "'$place' $1"
  exit 125
} >&2
p2c_step() {
  cd -P "./$1"
  [ "$PWD" = "$2" ] || p2c_refuse "leads out of the container, by the link '$1' that was put in the way just now"
}
p2c_go() {
  kind=$1
  place=$2
  rest=$2
  links=0
  made=
  name=
  cd -P /c
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    rest=\${rest#"$part"}
    rest=\${rest#/}
    case $part in
      '' | .) continue ;;
      ..)
        [ "$PWD" = /c ] || p2c_step .. "\${PWD%/*}"
        continue ;;
    esac
    kernels=
    case $PWD/$part in /c/proc | /c/sys | /c/dev) kernels=yes ;; esac
    if [ -L "./$part" ] && [ -z "$kernels" ]; then
      links=$((links + 1))
      [ "$links" -le 40 ] || p2c_refuse 'goes through more than 40 symbolic links'
      target=$(readlink "./$part" && echo .) || p2c_refuse "leads through '$part', which changed just now"
      target=\${target%??}
      case $target in /*) cd -P /c ;; esac
      rest=$target/$rest
      continue
    fi
    if [ "$kind" = file ] && [ -z "$rest" ]; then
      name=$part
      if ! [ -e "./$name" ]; then
        set -C
        : >"./$name"
        set +C
      fi
      return
    fi
    if [ -L "./$part" ] || ! [ -d "./$part" ]; then
      [ "$kind" != there ] || return 1
      if [ -L "./$part" ] || [ -e "./$part" ]; then
        { [ -n "$kernels" ] || { [ "$kind" = folder ] && [ -z "$rest" ]; }; } || p2c_refuse "goes through '$part', which is no folder"
        rm -f "./$part"
      fi
      mkdir "./$part"
      made=yes
    fi
    p2c_step "$part" "\${PWD%/}/$part"
  done
  [ "$kind" != file ] || p2c_refuse 'is a folder, and what is to lie there a file'
}
`;
