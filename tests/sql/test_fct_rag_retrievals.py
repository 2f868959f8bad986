"""``marts.fct_rag_retrievals``: searches of the knowledge base."""

from __future__ import annotations

from typing import Any


def test_rag_retrievals(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.add(  # three chunks, of which two were used
        "turns",
        turn_index=1,
        rag_retrieval_info_embedding_model="e5",
        rag_retrieval_info_retrieval_query="opening hours",
        rag_retrieval_info_rag_latency_secs=0.25,
        rag_retrieval_info_used_chunk_ids='["k1", "k3"]',
    )
    for chunk, distance in enumerate((0.5, 0.2, 0.8)):
        rows.add("rag_chunks", turn_index=1, chunk_index=chunk, vector_distance=distance)
    rows.add("turns", turn_index=2)  # no retrieval: in no row
    rows.add("turns", turn_index=3, rag_retrieval_info_retrieval_query="nothing found")
    rows.add("turns", turn_index=4)  # redacted: chunks alone, one without a distance
    rows.add("rag_chunks", turn_index=4, chunk_index=0)
    rows.add("rag_chunks", turn_index=4, chunk_index=1, vector_distance=0.4)
    rows.add("turns", turn_index=5, rag_retrieval_info_rag_latency_secs=0.5, rag_retrieval_info_used_chunk_ids="[]")
    rows.add("turns", turn_index=6, rag_retrieval_info_embedding_model="e5")
    nothing = {
        "workspace": "main",
        "conversation_id": "c1",
        "turn_index": 3,
        "start_date": rows.day,
        "agent_id": "a1",
        "agent_name": None,
        "version_id": "v1",
        "embedding_model": None,
        "retrieval_query": None,
        "latency_secs": None,
        "n_chunks": 0,
        "n_chunks_used": None,
        "best_distance": None,
        "mean_distance": None,
        "is_finished": True,
        "is_counted": True,
    }
    assert rows.model("marts.fct_rag_retrievals") == [
        nothing
        | {"turn_index": 1, "embedding_model": "e5", "retrieval_query": "opening hours", "latency_secs": 0.25}
        | {"n_chunks": 3, "n_chunks_used": 2, "best_distance": 0.2, "mean_distance": 0.5},
        nothing | {"turn_index": 3, "retrieval_query": "nothing found"},
        nothing | {"turn_index": 4, "n_chunks": 2, "best_distance": 0.4, "mean_distance": 0.4},
        nothing | {"turn_index": 5, "latency_secs": 0.5, "n_chunks_used": 0},
        nothing | {"turn_index": 6, "embedding_model": "e5"},
    ]
