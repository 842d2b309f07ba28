"""Judgements as ordered, pure checks over facts."""
