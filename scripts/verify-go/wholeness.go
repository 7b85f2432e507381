package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The wholeness map of docs/proofs.md: for each partition key how many entries it has, and the root over their leaf hashes, in
// order of position. An event of the log bears the head of the map.

const mapLeafPrefix = "qingling/wholeness/v1 partition\n"

// mapHead is what an event of the log binds itself to.
type mapHead struct {
	size int64
	root tlog.Hash
}

// mapLeaf is what the map says of one name.
type mapLeaf struct {
	name    string
	entries int64
	index   int64
	root    tlog.Hash
}

// parseWholeness reads wholeness.json: leaves in rising order of their index in the map, and the subset proof that joins them.
func parseWholeness(data []byte) (leaves []mapLeaf, proof []tlog.Hash, err error) {
	err = fieldsOf(data, map[string]func([]byte) error{
		"partitions": func(value []byte) error {
			return eachItem(value, func(item []byte) error {
				leaf, err := parseMapLeaf(item)
				leaves = append(leaves, leaf)
				return err
			})
		},
		"proof": func(value []byte) error {
			return eachItem(value, func(item []byte) error {
				var hash tlog.Hash
				err := hashInto(&hash)(item)
				proof = append(proof, hash)
				return err
			})
		},
	})
	for i := 1; err == nil && i < len(leaves); i++ {
		if leaves[i].index <= leaves[i-1].index {
			err = fmt.Errorf("the index of %q does not rise", leaves[i].name)
		}
	}
	return leaves, proof, err
}

func parseMapLeaf(data []byte) (leaf mapLeaf, err error) {
	err = fieldsOf(data, map[string]func([]byte) error{
		"entries": countInto(&leaf.entries),
		"index":   countInto(&leaf.index),
		"name":    textInto(&leaf.name),
		"root":    hashInto(&leaf.root),
	})
	if err == nil && leaf.entries == 0 {
		err = fmt.Errorf("the partition %q has no entries, so it stands in no map", leaf.name)
	}
	return leaf, err
}

func hashInto(target *tlog.Hash) func([]byte) error {
	return func(value []byte) error {
		text, err := textOf(value)
		if err != nil {
			return err
		}
		*target, err = hexHashOf(text)
		return err
	}
}

// hash is that of the leaf in the map.
func (l *mapLeaf) hash() tlog.Hash {
	key := sha256.Sum256([]byte(l.name))
	data := make([]byte, 0, len(mapLeafPrefix)+len(key)+8+len(l.root))
	data = append(append(data, mapLeafPrefix...), key[:]...)
	var entries [8]byte
	binary.BigEndian.PutUint64(entries[:], uint64(l.entries))
	data = append(append(data, entries[:]...), l.root[:]...)
	return tlog.RecordHash(data)
}

// checkMap checks that the map with this head says what the leaves say.
func checkMap(leaves []mapLeaf, proof []tlog.Hash, head mapHead) error {
	joined := &subset{proof: proof}
	for i := range leaves {
		joined.positions = append(joined.positions, leaves[i].index+1)
		joined.leaves = append(joined.leaves, leaves[i].hash())
	}
	return joined.check(head.size, head.root)
}

// check holds the entries of the name, given by their leaf hashes in order of position, against what the map says.
func (l *mapLeaf) check(leaves []tlog.Hash) error {
	switch {
	case int64(len(leaves)) != l.entries:
		return fmt.Errorf("it has %d entries up to the commitment, and %d are in the pack", l.entries, len(leaves))
	case rootOf(leaves) != l.root:
		return fmt.Errorf("its %d entries are not those that the log is bound to, or not in their order", l.entries)
	}
	return nil
}
