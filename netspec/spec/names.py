"""Which names a net and its layers may have. They become Python and ONNX names, so they are checked here, once."""

from __future__ import annotations

import keyword
import re
import sys

from netspec.diagnostics.suggest import in_ascii, strange_characters
from netspec.syntax.scalars import shorten

LAYER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
NET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)

# what the generated file itself reads where layers are variables, or defines where they are attributes
_GENERATED = """
    self torch nn F Tensor float logits reset_parameters load_merged merged_state ROWS TIES draw ChannelAffine
    Deconv2d GroupedLinear LocalConv2d ResponseNorm SameMapNorm UntiedConv2d average_pool bilinear bilinear_
    blocked_norm blur contrast_norm cross_map_pool drelu dropout kept larger_magnitude pick_channels response_norm
    rgb_to_lab rgb_to_yuv same_map_norm scramble
"""
# attributes of torch.nn.Module: a layer of that name would hide one (tests/spec/test_names.py compares with torch)
_MODULE = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
    extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
    mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory
    state_dict to to_empty train training type xpu zero_grad
"""
RESERVED = frozenset(_GENERATED.split()) | frozenset(_MODULE.split())


def layer_name_problem(name: str) -> tuple[str, str, str] | None:
    """Why a layer cannot be called so: code, message, help. None for a good name."""
    if not LAYER_NAME.fullmatch(name):
        plain = in_ascii(name)
        meant = f": write `{plain}`" if LAYER_NAME.fullmatch(plain) else ""
        help = "ASCII letters, digits and `_`, starting with a letter, at most 64"
        help = f"{strange_characters(name)}{meant}" or help
        return "NS207", f"`{shorten(name)}` is no layer name", help
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "NS208", f"`{name}` is a word of Python, so no layer can be called that", f"for instance `{name}1`"
    if name in RESERVED or re.fullmatch(r"gpu[0-9]+", name):
        return "NS208", f"`{name}` has a meaning in the generated module", f"for instance `{name}_layer`"
    return None


def net_name_help(name: str) -> str:
    """What is wrong with the name of a net."""
    return strange_characters(name) or "ASCII letters, digits, `-` and `_`, starting with a letter, at most 64"


def module_name(net: str) -> str:
    """``alexnet-2012`` as ``alexnet_2012``: the generated file, without .py, can be imported under this name."""
    return net.replace("-", "_")


def hides_module(net: str) -> bool:
    """Whether the generated file would hide a module that others import, or could not be imported itself."""
    name = module_name(net)
    return keyword.iskeyword(name) or name in sys.stdlib_module_names or name in ("torch", "numpy", "netspec")


def class_name(net: str) -> str:
    """``alexnet-2012`` as ``Alexnet2012``, for the generated class."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split("[-_]+", net))
    return f"{name}Net" if keyword.iskeyword(name) or name in RESERVED else name
