"""The language of the pipeline: events on the topics, their codec and the protocols of a stage."""
