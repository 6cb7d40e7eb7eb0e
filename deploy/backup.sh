#!/usr/bin/env bash
# One backup in a directory of its own; of those made by this script only the newest are kept. Run by
# yuanshang-backup.service, as the server's account.
set -euo pipefail
umask 077

yuanshang=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../bin/yuanshang
data=${YUANSHANG_DATA_DIR:-/var/lib/yuanshang}
place=${YUANSHANG_BACKUP_DIR:-/var/backups/yuanshang}
keep=${YUANSHANG_BACKUP_KEEP:-7}

if ! [[ $keep =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo "YUANSHANG_BACKUP_KEEP 应当是 1 到 9999 的数，现在是：$keep" >&2
  exit 2
fi
if ! [[ -d $place && -w $place ]]; then
  echo "备份目录不存在或不可写（硬盘没有挂载？）：$place" >&2
  exit 1
fi
target=$place/nightly-$(date -u +%Y%m%dT%H%M%SZ)
if ! "$yuanshang" backup "$target" --data-dir "$data"; then
  echo "备份失败，以前的备份都保留着：$place" >&2
  exit 1
fi
# Only after a backup that succeeded are older ones let go, the oldest first.
mapfile -t made < <(find "$place" -mindepth 1 -maxdepth 1 -name 'nightly-*Z' | sort -r)
for old in "${made[@]:keep}"; do
  rm -rf -- "$old"
done
