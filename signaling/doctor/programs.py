"""What the server is put together with: fonts, encoders, the relay, speech models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from signaling.data_dir import DataDirectory
from signaling.doctor.findings import Finding, Topic
from signaling.relay.supervisor import relay_program
from signaling.settings import Settings

_FONTS: Final = Topic("fonts", "中文字体")
_ENCODERS: Final = Topic("encoders", "编码程序")
_RELAY: Final = Topic("relay", "中继程序")
_MODEL: Final = Topic("speech_model", "语音模型")
_SECOND: Final = Topic("second_pass_model", "复核模型")
_NEEDED: Final = ("libx264", "aac", "libopus")
_INSTALL: Final = "执行 yuanshang model install；离线时可指定模型文件夹或压缩包"
_GRAPHS: Final = (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst"))


def look_at_fonts(settings: Settings, directories: Iterable[Path] | None = None) -> list[Finding]:
    """As the program's worker finds them."""
    from recording.program.text import DIRECTORIES, chinese_fonts

    noto, others = chinese_fonts(DIRECTORIES if directories is None else directories)
    if noto:
        return [_FONTS.good(f"Noto CJK 已安装（{len(noto)} 个文件）")]
    install = "安装：apt install fonts-noto-cjk"
    if others:
        return [_FONTS.note(f"没有 Noto CJK，节目画面改用 {others[0].name}", install)]
    make = _FONTS.bad if settings.programs else _FONTS.note
    return [make("没有中文字体，节目画面上的汉字会显示成方框", install)]


def look_at_encoders(settings: Settings, needed: Iterable[str] = _NEEDED) -> list[Finding]:
    """FFmpeg comes with PyAV; some builds lack encoders."""
    import av

    missing = [each for each in needed if not _can_encode(each)]
    if not missing:
        return [_ENCODERS.good(f"FFmpeg（PyAV {av.__version__}）带有所需的编码器")]
    make = _ENCODERS.bad if settings.programs else _ENCODERS.note
    return [
        make(
            f"FFmpeg 缺少编码器 {'、'.join(missing)}，不能合成节目和导出录像",
            "重新安装带全编码器的 PyAV：pip install --force-reinstall av",
        )
    ]


def _can_encode(name: str) -> bool:
    import av
    from av.codec import Codec

    try:
        return Codec(name, "w").is_encoder
    except (av.FFmpegError, ValueError):
        return False


def look_at_relay(settings: Settings) -> list[Finding]:
    """Nothing where the settings want none: it needs HTTPS of our own."""
    if not settings.relay or not (settings.lan or settings.tls_cert is not None):
        return []
    program = relay_program()
    if program is None:
        return [
            _RELAY.note(
                "没有装 coturn：只放行网页（TLS）的单位网络进不了会",
                "安装：apt install coturn；不需要就加 --no-relay",
            )
        ]
    return [_RELAY.good(f"coturn 已安装（{program}）")]


def model_in_use(settings: Settings, directory: DataDirectory) -> Path | None:
    """That captions are made with, as the worker chooses it."""
    from transcription.models import newest

    return settings.speech_model or newest(directory.models)


def look_at_models(settings: Settings, directory: DataDirectory) -> list[Finding]:
    """There, and whole, as far as can be said without loading them."""
    found = []
    if settings.captions:
        folder = model_in_use(settings, directory)
        found.append(_model(_MODEL, folder, settings.speech_engine, "没有实时字幕和转写稿"))
    if settings.second_pass_model is not None or settings.second_pass_engine is not None:
        found.append(_second(settings))
    return found


def _model(topic: Topic, folder: Path | None, factory: str | None, without: str) -> Finding:
    from transcription.engines import described
    from transcription.models import size_bytes

    if folder is None and factory is None:
        return topic.note(f"没有安装：{without}", f"{_INSTALL}；不要字幕就加 --no-captions")
    said = described(folder, factory)
    name = folder.name if folder is not None else factory
    if said.reason == "engine_missing":
        return topic.bad(
            f"{name} 需要的引擎 {said.engine} 没有安装", "pip install 'yuanshang[sherpa]'，或换一个模型"
        )
    if said.reason or (folder is not None and _is_torn(folder, said.engine)):
        return topic.bad(f"{name} 不完整或读不出来", _INSTALL)
    size = f"，{size_bytes(folder) / 1e6:.0f} MB" if folder is not None else ""
    return topic.good(f"{name}（{said.engine}{size}）完整")


def _is_torn(folder: Path, engine: str) -> bool:
    """A copy that stopped half-way leaves empty files, or none of the large ones."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    if any(each.suffix in (".mdl", ".fst", ".onnx", ".ie") and each.stat().st_size == 0 for each in files):
        return True
    return engine == "vosk" and not any(all((folder / each).is_file() for each in graph) for graph in _GRAPHS)


def _second(settings: Settings) -> Finding:
    folder = settings.second_pass_model
    if folder is None:
        return _SECOND.good(f"引擎 {settings.second_pass_engine}")
    if settings.second_pass_engine is None and not (folder / "model.bin").is_file():
        return _SECOND.bad(
            f"{folder} 里没有 faster-whisper 的模型（model.bin）", "改正 --second-pass-model 或重新拷贝模型"
        )
    if not folder.is_dir():
        return _SECOND.bad(f"{folder} 不存在", "改正 --second-pass-model")
    return _SECOND.good(f"{folder.name} 在位")
