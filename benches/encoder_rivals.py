"""PyTorch and ONNX Runtime on the weights of `cargo bench --bench encoder`, in reports a second.

    RAYON_NUM_THREADS=1 cargo bench --bench encoder
    python benches/encoder_rivals.py 1        # threads; torch, transformers, onnx, onnxscript, onnxruntime

Each rival's answer must equal that of the bench before it is timed. The reports are of one length,
so that no rival computes padding; the attention mask is given all the same.
"""

import json
import sys
import time
from pathlib import Path

import numpy
import onnxruntime
import torch
from transformers import AutoModelForTokenClassification

FOLDER = Path(__file__).parent.parent / "target" / "encoder-bench"
SECONDS = 6


def rate(run, reports: int) -> float:
    """Reports a second: the median of repeated runs."""
    run()
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return reports / sorted(times)[len(times) // 2]


def check(name: str, logits: numpy.ndarray, answer: dict) -> None:
    far = numpy.abs(logits[3, 1:-1] - numpy.array(answer["logits"])).max()
    assert far < 1e-3, f"{name}: {far} from the bench's answer"


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    torch.set_num_threads(threads)
    for folder in sorted(path.parent for path in FOLDER.glob("*/answer.json")):
        answer = json.loads((folder / "answer.json").read_text())
        ids = torch.tensor([[2, *report, 3] for report in answer["ids"]])
        mask, types = torch.ones_like(ids), torch.zeros_like(ids)
        model = AutoModelForTokenClassification.from_pretrained(folder).eval()

        def in_torch() -> numpy.ndarray:
            with torch.inference_mode():
                return model(input_ids=ids, attention_mask=mask, token_type_ids=types).logits.numpy()

        check("PyTorch", in_torch(), answer)
        print(f"{folder.name}  {threads} threads  PyTorch {torch.__version__} fp32: {rate(in_torch, len(ids)):.1f} reports/s", flush=True)

        path = folder / "model.onnx"
        if not path.exists():
            model.config.return_dict = False
            torch.onnx.export(
                model, (ids, mask, types), str(path), input_names=["ids", "mask", "types"], output_names=["logits"], dynamo=True
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        feed = {"ids": ids.numpy(), "mask": mask.numpy(), "types": types.numpy()}
        feed = {item.name: feed[item.name] for item in session.get_inputs()}

        def in_onnx() -> numpy.ndarray:
            return session.run(["logits"], feed)[0]

        check("ONNX Runtime", in_onnx(), answer)
        print(f"{folder.name}  {threads} threads  ONNX Runtime {onnxruntime.__version__} fp32: {rate(in_onnx, len(ids)):.1f} reports/s", flush=True)


if __name__ == "__main__":
    main()
