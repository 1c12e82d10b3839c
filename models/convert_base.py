"""Convert the base model of moonshine-cpp 0.1.4 into one that decodes fast.

Usage: convert_base.py SOURCE TARGET

SOURCE holds encoder_model.ort and decoder_model_merged.ort, whose compressed weights take
0.33 s a token to run. TARGET receives the same two as .onnx, with the weights of every matrix
product in signed 8 bits, one scale a column, and the activations quantised as they come.

Needs the exact packages that models/manifest.toml lists: other versions give other bytes, and
lineclear refuses files whose SHA-256 it does not know.
"""

import sys
import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

MODELS = ("encoder_model", "decoder_model_merged")
Level = onnxruntime.GraphOptimizationLevel


def rewrite(source: Path, target: Path, level: Level) -> None:
    """Load a model and have the runtime save it as ONNX, optimised up to the given level."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ONNX")
    options.optimized_model_filepath = str(target)
    options.graph_optimization_level = level
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def name_subgraphs(graph: onnx.GraphProto, count: int = 0) -> int:
    """Name the graphs of all branches, which the .ort format drops and the quantiser needs."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                count += 1
                attribute.g.name = attribute.g.name or f"sub{count}"
                count = name_subgraphs(attribute.g, count)
    return count


def convert(source: Path, target: Path, work: Path) -> None:
    """Convert one model, with the steps between kept in the directory work."""
    plain, named, folded = work / "plain.onnx", work / "named.onnx", work / "folded.onnx"
    rewrite(source, plain, Level.ORT_DISABLE_ALL)
    model = onnx.load(plain)
    name_subgraphs(model.graph)
    model.graph.name = model.graph.name or "g"
    onnx.save(model, named)
    # Folding constants turns the compressed weights back into plain ones, ready to quantise.
    rewrite(named, folded, Level.ORT_ENABLE_BASIC)
    quantize_dynamic(
        folded,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
    )


def main() -> None:
    """Convert both models, with one line of output before each."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        print(f"converting {name}", flush=True)
        with tempfile.TemporaryDirectory() as work:
            convert(source / f"{name}.ort", target / f"{name}.onnx", Path(work))


if __name__ == "__main__":
    main()
