#!/usr/bin/env bash
# Installs Yuanshang on Debian 12 from the unpacked bundle that it lies in, upgrades it, and rolls it back. It asks no
# network and may be run again at any time: what is done is left alone.
set -euo pipefail
umask 022

opt=/opt/yuanshang           # <release>/ each, current and previous link to two of them
etc=/etc/yuanshang           # settings; never changed by an upgrade
data=/var/lib/yuanshang      # database, keys, recordings
backups=/var/backups/yuanshang
account=yuanshang
ready_s=${YUANSHANG_READY_S:-120}
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
scratch=

usage() {
  cat <<'TEXT'
用法：
  ./install.sh [选项]          安装；已经装过旧版本时就是升级，升级失败自动退回原来的版本
  ./install.sh rollback        退回上一个版本
  ./install.sh status          现在装的是哪个版本，是否正常
  ./install.sh certificate --tls-cert 文件 --tls-key 文件    换证书

选项（第一次安装时没有给证书，就按 --lan 处理；以后不给选项，设置保持不变）：
  --tls-cert 文件 --tls-key 文件   浏览器信任的证书和私钥（PEM）
  --lan                           本机自己签发证书，供局域网试用
  --port 端口                     网页端口，默认 443
  --public-url 网址               参会者打开的网址，例如 https://xieshang.example.gov.cn
  --media-address 地址            对外公布的媒体地址（端口映射时填公网地址），可以重复
  --no-backup                     升级前不做完整备份（数据库总会另存一份）
  --force                         有人正在开会也照样升级或退回
  --with-data                     退回时连数据库一起退回到升级之前（升级之后的数据会丢失）
  --no-start                      只安装，不启动

English: installs, upgrades (same command from a newer bundle) and rolls back; see docs/install.md.
TEXT
}

say() { printf '%s\n' "$*"; }
step() { printf '\n── %s\n' "$*"; }
fail() {
  printf '\n错误：%s\n' "$*" >&2
  exit 1
}
leave() { [[ -z $scratch ]] || rm -rf -- "$scratch"; }
trap leave EXIT

runs_systemd() { [[ -d /run/systemd/system ]]; }
is_running() { runs_systemd && systemctl is-active --quiet yuanshang.service; }
as_account() { (umask 077 && setpriv --reuid "$account" --regid "$account" --init-groups -- env HOME="$data" "$@"); }
name_of() { basename "$(readlink -f "$opt/$1")"; }
probe() { "$opt/current/bin/python" -I "$opt/current/share/probe.py" "$@"; }
# So that whatever happens there is always one whole `current`.
point() {
  ln -sfn -- "$2" "$opt/.$1"
  mv -T -- "$opt/.$1" "$opt/$1"
}

# ── what is in the bundle ─────────────────────────────────────────────────────────────────────

read_bundle() {
  [[ -f $here/bundle.env ]] || fail "这里不是解压后的安装包：$here"
  # shellcheck source=/dev/null
  . "$here/bundle.env"
  : "${RELEASE:?}" "${VERSION:?}" "${CODENAME:?}" "${ARCHITECTURE:?}" "${DEBIAN_PACKAGES:?}"
  local codename architecture
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  architecture=$(dpkg --print-architecture)
  [[ $codename == "$CODENAME" ]] || fail "这个安装包用于 Debian $CODENAME，本机是 ${codename:-未知系统}"
  [[ $architecture == "$ARCHITECTURE" ]] || fail "这个安装包用于 $ARCHITECTURE，本机是 $architecture"
  step "核对安装包"
  (cd "$here" && sha256sum --quiet --strict --check SHA256SUMS) || fail "安装包不完整或被改动，请重新拷贝"
  say "完整（版本 $VERSION，$RELEASE）"
}

# From the bundle alone: a repository of its own, and no other. Without .deb files what is missing is asked of the
# machine's own sources.
install_debian_packages() {
  local package missing=() options=() had_coturn=no
  read -ra wanted <<<"$DEBIAN_PACKAGES"
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  step "安装系统软件包：${missing[*]}"
  command -v turnserver >/dev/null && had_coturn=yes
  export DEBIAN_FRONTEND=noninteractive
  if [[ -f $here/debs/Packages ]]; then
    mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
    ln -s "$here/debs" "$scratch/debs" # apt does not like blanks in names, which USB sticks have
    printf 'deb [trusted=yes] file:%s ./\n' "$scratch/debs" >"$scratch/sources.list"
    options=(
      -o "Dir::Etc::SourceList=$scratch/sources.list" -o Dir::Etc::SourceParts=/dev/null
      -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache"
      -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=no
    )
  fi
  apt-get -qq "${options[@]}" update
  apt-get -qq -y "${options[@]}" install --no-install-recommends "${missing[@]}" >"$scratch/apt.log" 2>&1 ||
    { tail -n 20 "$scratch/apt.log" >&2; fail "系统软件包没有装上，见上面的提示"; }
  # The server runs coturn itself, on loopback; the service of the package would listen to the world.
  if [[ $had_coturn == no ]] && runs_systemd; then
    systemctl disable --now --quiet coturn.service 2>/dev/null || true
    systemctl reset-failed coturn.service 2>/dev/null || true
  fi
}

make_account() {
  getent passwd "$account" >/dev/null ||
    useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$account"
  install -d -m 0755 "$opt"
  install -d -m 0750 -o root -g "$account" "$etc" "$etc/tls"
  install -d -m 0700 -o "$account" -g "$account" "$data" "$backups"
}

# Beside the one that runs, which notices nothing.
make_release() {
  local release=$opt/$RELEASE
  if [[ ! -f $release/.complete ]]; then
    step "安装程序到 $release（一两分钟）"
    rm -rf -- "$release"
    python3 -m venv "$release"
    PIP_CONFIG_FILE=/dev/null "$release/bin/python" -I -m pip install --quiet --disable-pip-version-check \
      --no-index --find-links "$here/wheelhouse" --require-hashes -r "$here/requirements.lock"
    "$release/bin/python" -I -m pip --disable-pip-version-check check >/dev/null ||
      fail "程序包之间不相配，安装包有问题"
    touch "$release/.complete"
  fi
  rm -rf -- "$release/share"
  mkdir "$release/share"
  cp -R -- "$here/systemd" "$here/nginx" "$here/monitoring" "$here/docs" "$release/share/"
  cp -- "$here/install.sh" "$here/backup.sh" "$here/probe.py" "$here/VERSION" "$release/share/"
  chmod -R go+rX "$release"
}

# ── settings ──────────────────────────────────────────────────────────────────────────────────

# One key of the settings; comments and all other lines stay. An empty value takes the key out.
set_key() {
  python3 -I - "$etc/yuanshang.toml" "$1" "$2" <<'PY'
import os, re, sys
path, key, value = sys.argv[1:]
lines = open(path, encoding="utf-8").read().splitlines()
mine = re.compile(rf"\s*#?\s*{re.escape(key)}\s*=")
places = [n for n, line in enumerate(lines) if mine.match(line)]
live = [n for n in places if not lines[n].lstrip().startswith("#")]
written = f"{key} = {value}" if value else None
if live:
    lines[live[0]] = written if written else "# " + lines[live[0]]
elif written:
    lines[places[0]:places[0] + 1] = [written] if places else []
    if not places:
        lines.append(written)
with open(path + ".new", "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
os.chmod(path + ".new", 0o640)
os.chown(path + ".new", 0, os.stat(os.path.dirname(path)).st_gid)
os.replace(path + ".new", path)
PY
}

quoted() { python3 -I -c 'import json, sys; print(json.dumps(sys.argv[1], ensure_ascii=False))' "$1"; }

write_settings() {
  local fresh=no each list=
  if [[ ! -f $etc/yuanshang.toml ]]; then
    install -m 0640 -o root -g "$account" "$here/systemd/yuanshang.toml" "$etc/yuanshang.toml"
    fresh=yes
  fi
  [[ -f $etc/yuanshang.env ]] ||
    install -m 0640 -o root -g "$account" "$here/systemd/yuanshang.env" "$etc/yuanshang.env"
  if [[ -n $tls_cert ]]; then
    "$opt/$RELEASE/bin/python" -I -c 'import ssl, sys
ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(sys.argv[1], sys.argv[2], password=lambda: b"")' \
      "$tls_cert" "$tls_key" 2>/dev/null || fail "证书和私钥不是一对，或者私钥带密码：$tls_cert $tls_key"
    install -m 0640 -o root -g "$account" "$tls_cert" "$etc/tls/cert.pem"
    install -m 0640 -o root -g "$account" "$tls_key" "$etc/tls/key.pem"
    set_key lan false
    set_key tls_cert "\"$etc/tls/cert.pem\""
    set_key tls_key "\"$etc/tls/key.pem\""
  elif [[ $lan == yes || $fresh == yes ]]; then
    set_key lan true
    set_key tls_cert ""
    set_key tls_key ""
  fi
  [[ -z $port ]] || set_key port "$port"
  [[ -z $public_url ]] || set_key public_url "$(quoted "$public_url")"
  for each in "${media_addresses[@]}"; do
    list+=${list:+, }$(quoted "$each")
  done
  [[ -z $list ]] || set_key media_address "[$list]"
}

# Units and the command of the release that `current` is.
put_in_place() {
  local from=$opt/current/share/systemd
  cat >"$scratch/yuanshang" <<'SH'
#!/bin/sh
# The commands of Yuanshang on this server's data, as its own account.
export YUANSHANG_DATA_DIR="${YUANSHANG_DATA_DIR:-/var/lib/yuanshang}"
program=/opt/yuanshang/current/bin/yuanshang
if [ "$(id -u)" -eq 0 ]; then
  exec setpriv --reuid yuanshang --regid yuanshang --init-groups -- env HOME=/var/lib/yuanshang "$program" "$@"
fi
exec "$program" "$@"
SH
  install -m 0755 "$scratch/yuanshang" /usr/local/bin/yuanshang
  install -d -m 0755 /etc/systemd/system
  install -m 0644 "$from/yuanshang.service" "$from/yuanshang-backup.service" "$from/yuanshang-backup.timer" \
    /etc/systemd/system/
  if runs_systemd; then
    systemctl daemon-reload
    systemctl enable --quiet yuanshang.service
    if can_back_up "$opt/current"; then
      systemctl enable --now --quiet yuanshang-backup.timer
    fi
  fi
}

install_models() {
  local model
  for model in "$here"/models/*; do
    [[ -e $model ]] || continue
    [[ ! -d $data/models/$(basename "$model") ]] || continue
    step "安装语音模型 $(basename "$model")"
    "$opt/$RELEASE/bin/yuanshang" model install "$model" --data-dir "$data"
    chown -R "$account:$account" "$data/models"
  done
}

# ── changing from one release to another ──────────────────────────────────────────────────────

can_back_up() { "$1/bin/yuanshang" backup --help >/dev/null 2>&1; }

newest_schema() {
  "$1/bin/python" -I -c 'from conference.storage.database import newest_version; print(newest_version())'
}

# As it is while nobody writes. PostgreSQL is not in our hands.
copy_database() {
  [[ -f $data/yuanshang.sqlite3 ]] || return 0
  as_account python3 -I -c 'import sqlite3, sys
there = sqlite3.connect(sys.argv[2] + ".part")
sqlite3.connect(sys.argv[1]).backup(there)
there.close()' "$data/yuanshang.sqlite3" "$1"
  mv -- "$1.part" "$1"
}

put_database_back() {
  [[ -f $1 ]] || return 0
  rm -f -- "$data/yuanshang.sqlite3-wal" "$data/yuanshang.sqlite3-shm"
  install -m 0600 -o "$account" -g "$account" "$1" "$data/yuanshang.sqlite3"
}

refuse_while_people_meet() {
  local there
  is_running || return 0
  there=$(probe present "$etc/yuanshang.toml" || true)
  if [[ ${there:-0} -gt 0 && $force == no ]]; then
    fail "现在有 $there 人在会上。等会议结束再试；确实要现在做，加 --force"
  fi
}

stop_server() { ! runs_systemd || systemctl stop yuanshang.service; }

# 0 once it answers; 1 when it does not within the time, fails for good or has been started again three times.
start_server() {
  local until=$((SECONDS + ready_s)) words
  runs_systemd || return 0
  systemctl reset-failed yuanshang.service 2>/dev/null || true
  systemctl start --no-block yuanshang.service
  until words=$(probe ready "$etc/yuanshang.toml" 3 2>&1); do
    if ((SECONDS >= until)) || systemctl is-failed --quiet yuanshang.service ||
      [[ $(systemctl show --property=NRestarts --value yuanshang.service) -ge 3 ]]; then
      printf '%s\n' "$words" >&2
      return 1
    fi
  done
}

# Back to $1, with the database as it was before; says so and ends.
go_back() {
  say "新版本没有正常工作，正在退回 $(basename "$1")…"
  ! runs_systemd || journalctl -u yuanshang.service -n 20 --no-pager -o cat 2>/dev/null || true
  stop_server
  put_database_back "$2"
  point current "$1"
  put_in_place
  if start_server; then
    fail "升级没有成功，已经退回原来的版本 $(basename "$1")，数据没有变化。请把上面的提示发给技术支持"
  fi
  fail "升级没有成功；退回原来的版本后服务器仍然不正常，请看：journalctl -u yuanshang -n 100"
}

upgrade() {
  local old copy=$backups/before-$RELEASE.sqlite3
  old=$(readlink -f "$opt/current")
  refuse_while_people_meet
  if [[ $with_backup == yes ]] && can_back_up "$old"; then
    step "升级前备份（会议数据多时要等一会儿）"
    as_account "$old/bin/yuanshang" backup "$backups/before-$RELEASE-$(date -u +%Y%m%dT%H%M%SZ)" --data-dir "$data" ||
      fail "备份没有成功，没有升级。腾出磁盘空间再试，或者加 --no-backup"
  fi
  step "升级：$(basename "$old") → $RELEASE"
  stop_server
  rm -f -- "$copy"
  copy_database "$copy"
  if ! as_account "$opt/$RELEASE/bin/yuanshang" migrate --data-dir "$data"; then
    go_back "$old" "$copy"
  fi
  point current "$opt/$RELEASE"
  put_in_place
  if ! start_server; then
    go_back "$old" "$copy"
  fi
  point previous "$old"
  forget_old_releases
}

# All but the two that are linked to.
forget_old_releases() {
  local each
  for each in "$opt"/*/; do
    each=${each%/}
    [[ -L $each || $each == "$(readlink -f "$opt/current")" ]] && continue
    [[ $each == "$(readlink -f "$opt/previous" || true)" ]] && continue
    rm -rf -- "$each"
  done
}

rollback() {
  local old now copy
  [[ -L $opt/previous && -x $opt/previous/bin/yuanshang ]] || fail "没有可以退回的版本"
  old=$(readlink -f "$opt/previous")
  now=$(readlink -f "$opt/current")
  copy=$backups/before-$(basename "$now").sqlite3
  refuse_while_people_meet
  if [[ $(newest_schema "$old") != "$(newest_schema "$now")" ]]; then
    [[ ! -f $data/database.url ]] ||
      fail "两个版本的数据库结构不同，数据库在 PostgreSQL 里：请管理员先恢复升级前的备份，见 docs/install.md"
    [[ $with_data == yes ]] ||
      fail "两个版本的数据库结构不同。退回要连数据库一起退回到升级之前（$copy），升级之后的数据会丢失：加 --with-data"
    [[ -f $copy ]] || fail "找不到升级前另存的数据库：$copy"
  fi
  step "退回：$(basename "$now") → $(basename "$old")"
  stop_server
  if [[ $with_data == yes ]]; then
    copy_database "$backups/rolled-back-$(date -u +%Y%m%dT%H%M%SZ).sqlite3"
    put_database_back "$copy"
  fi
  point current "$old"
  point previous "$now"
  put_in_place
  start_server || fail "退回以后服务器不正常，请看：journalctl -u yuanshang -n 100"
  say "已经退回 $(basename "$old")。"
}

# ── words ─────────────────────────────────────────────────────────────────────────────────────

status() {
  [[ -L $opt/current ]] || fail "还没有安装"
  say "现在的版本：$(name_of current)"
  [[ ! -L $opt/previous ]] || say "上一个版本：$(name_of previous)"
  if probe ready "$etc/yuanshang.toml" 0 2>/dev/null; then
    say "服务器正常，在会上的人数：$(probe present "$etc/yuanshang.toml")"
  else
    fail "服务器没有正常工作，请看：journalctl -u yuanshang -n 100"
  fi
}

addresses() {
  "$opt/current/bin/python" -I -c 'from signaling.lan import lan_addresses; print(*lan_addresses())' 2>/dev/null || true
}

say_what_next() {
  local url first suffix=
  url=$(sed -n 's/^public_url *= *"\(.*\)"/\1/p' "$etc/yuanshang.toml")
  port=$(sed -n 's/^port *= *\([0-9]*\).*/\1/p' "$etc/yuanshang.toml")
  [[ ${port:-443} == 443 ]] || suffix=:$port
  first=$(addresses)
  first=${first%% *}
  [[ -n $url ]] || url=https://${first:-服务器地址}$suffix
  say
  say "════════════════════════════════════════════════════════════"
  say "远商已经装好：$(name_of current)"
  say
  say "接下来："
  say "1. 建一个管理员账号（密码会显示一次，请记下）："
  say "   yuanshang user add --login admin --name 管理员 --role administrator --organization 某某县政协 --generate"
  say "2. 用浏览器打开 $url ，用这个账号登录，筹备第一场协商会。"
  if grep -q '^lan *= *true' "$etc/yuanshang.toml"; then
    say "   现在用的是本机自己签发的证书，只适合试用：浏览器会提示不受信任，手机可打开 $url/lan-ca.crt 安装。"
    say "   拿到正式证书后执行：$opt/current/share/install.sh certificate --tls-cert 证书.pem --tls-key 私钥.pem"
  fi
  say "3. 请网管放行：TCP ${port:-443}（必须），UDP 和 TCP 7882（最好）。见 docs/reach.md。"
  if ! compgen -G "$data/models/*" >/dev/null; then
    say "4. 需要实时字幕时安装语音模型（文件夹或压缩包）：yuanshang model install 路径"
  fi
  say
  if runs_systemd; then
    say "是否正常：$opt/current/share/install.sh status    日志：journalctl -u yuanshang -f"
  else
    say "本机没有运行 systemd，服务器没有启动。手工启动："
    say "   setpriv --reuid $account --regid $account --init-groups --inh-caps +net_bind_service \\"
    say "     --ambient-caps +net_bind_service $opt/current/bin/yuanshang serve --config $etc/yuanshang.toml --data-dir $data"
  fi
  say "设置：$etc/yuanshang.toml    说明：$opt/current/share/docs/install.md"
  say "════════════════════════════════════════════════════════════"
}

# ── the commands ──────────────────────────────────────────────────────────────────────────────

install_or_upgrade() {
  read_bundle
  install_debian_packages
  make_account
  make_release
  write_settings
  install_models
  if [[ -L $opt/current && $(readlink -f "$opt/current") != "$opt/$RELEASE" ]]; then
    upgrade
  else
    point current "$opt/$RELEASE"
    put_in_place
    as_account "$opt/current/bin/yuanshang" migrate --data-dir "$data" >/dev/null
    if [[ $start == yes ]]; then
      if is_running; then
        refuse_while_people_meet
        stop_server
      fi
      start_server || fail "服务器没有正常启动，请看：journalctl -u yuanshang -n 100"
    fi
  fi
  say_what_next
}

# Another certificate for what is installed; a running server with one takes it within five seconds.
change_certificate() {
  [[ -L $opt/current ]] || fail "还没有安装"
  [[ -n $tls_cert ]] || fail "请给出 --tls-cert 和 --tls-key"
  local was
  was=$(grep -c '^tls_cert *=' "$etc/yuanshang.toml" || true)
  RELEASE=$(name_of current)
  write_settings
  if [[ $was -gt 0 ]]; then
    say "证书已经换好，五秒之内生效，不会中断会议。"
    return
  fi
  refuse_while_people_meet
  stop_server
  start_server || fail "服务器没有正常启动，请看：journalctl -u yuanshang -n 100"
  say "证书已经换好。"
}

command=install
case ${1:-} in
  install | rollback | status | certificate)
    command=$1
    shift
    ;;
esac
tls_cert='' tls_key='' lan=no port='' public_url='' with_backup=yes force=no with_data=no start=yes
media_addresses=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --tls-cert | --tls-key | --port | --public-url | --media-address)
      [[ $# -ge 2 ]] || fail "$1 后面缺少内容"
      case $1 in
        --tls-cert) tls_cert=$2 ;;
        --tls-key) tls_key=$2 ;;
        --port) port=$2 ;;
        --public-url) public_url=$2 ;;
        --media-address) media_addresses+=("$2") ;;
      esac
      shift
      ;;
    --lan) lan=yes ;;
    --no-backup) with_backup=no ;;
    --force) force=yes ;;
    --with-data) with_data=yes ;;
    --no-start) start=no ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      fail "不认识的选项：$1"
      ;;
  esac
  shift
done
[[ -n $tls_cert && -n $tls_key || -z $tls_cert$tls_key ]] || fail "--tls-cert 和 --tls-key 要一起给"
[[ -z $tls_cert || $lan == no ]] || fail "--lan 用本机自己的证书，不要同时给 --tls-cert"
[[ -z $port || $port =~ ^[1-9][0-9]{0,4}$ ]] || fail "端口应当是数字：$port"
for file in ${tls_cert:+"$tls_cert"} ${tls_key:+"$tls_key"}; do
  [[ -r $file ]] || fail "读不到文件：$file"
done

[[ -z $tls_cert ]] || tls_cert=$(readlink -f "$tls_cert") tls_key=$(readlink -f "$tls_key")
cd / # whatever becomes of the directory that it was called in

[[ $(id -u) -eq 0 ]] || fail "请用 root 运行，例如：sudo $0"
scratch=$(mktemp -d /tmp/yuanshang-install.XXXXXX)
case $command in
  install) install_or_upgrade ;;
  rollback) rollback ;;
  status) status ;;
  certificate) change_certificate ;;
esac
