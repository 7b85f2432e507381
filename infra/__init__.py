"""Everything that touches the world: databases, brokers, files, keys, clocks. `infra.bootstrap` composes it."""
