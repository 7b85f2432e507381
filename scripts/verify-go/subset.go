package main

import (
	"errors"
	"fmt"
	"math/bits"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// The subset proof of docs/proofs.md: one proof for many leaves. Walk the tree from its root, left before right: a range
// without any of the leaves gives one hash of the proof, a range that holds nothing but leaves gives none, any other is halved.

// subset is leaves at strictly rising positions, and the hashes that join them.
type subset struct {
	positions []int64
	leaves    []tlog.Hash
	proof     []tlog.Hash
	tooShort  bool
}

// check holds the leaves against a tree.
func (s *subset) check(size int64, root tlog.Hash) error {
	if len(s.positions) == 0 || s.positions[len(s.positions)-1] > size {
		return errors.New("not all of the leaves have a place in the tree")
	}
	found := s.root(0, size, 0, len(s.positions))
	switch {
	case s.tooShort:
		return errors.New("the proof has too few hashes")
	case len(s.proof) > 0:
		return errors.New("the proof has too many hashes")
	case found != root:
		return errors.New("the leaves, as they are here, do not lead to the root that they must lead to")
	}
	return nil
}

// root is that of the leaves [low, high) of the tree, of which those numbered [first, end) are at hand.
func (s *subset) root(low, high int64, first, end int) tlog.Hash {
	switch int64(end - first) {
	case 0:
		return s.next()
	case high - low:
		return rootOf(s.leaves[first:end])
	}
	middle := low + half(high-low)
	between := first + sort.Search(end-first, func(i int) bool { return s.positions[first+i] > middle })
	left := s.root(low, middle, first, between)
	return tlog.NodeHash(left, s.root(middle, high, between, end))
}

func (s *subset) next() (hash tlog.Hash) {
	if len(s.proof) == 0 {
		s.tooShort = true
		return hash
	}
	hash, s.proof = s.proof[0], s.proof[1:]
	return hash
}

// half is the largest power of two smaller than count, which is at least 2: how many leaves go left (RFC 6962 section 2.1).
func half(count int64) int64 {
	return 1 << (bits.Len64(uint64(count-1)) - 1)
}

// rootOf is the root over leaf hashes, at least one.
func rootOf(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	left := half(int64(len(leaves)))
	return tlog.NodeHash(rootOf(leaves[:left]), rootOf(leaves[left:]))
}

// parseSubsetProof reads proof.txt: one hash a line.
func parseSubsetProof(data []byte) ([]tlog.Hash, error) {
	lines, err := linesOf(string(data))
	if err != nil {
		return nil, err
	}
	proof := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		if proof[i], err = hashOf(line); err != nil {
			return nil, err
		}
	}
	return proof, nil
}

// span is neighbouring positions, both ends included. There may be more of them than fit into memory, until the entries are there.
type span struct {
	first, last int64
}

// parsePositions reads positions.txt: rising lines `n` or `first-last`, runs as long as they can be; count positions in all.
func parsePositions(data []byte, count int64) ([]span, error) {
	lines, err := linesOf(string(data))
	if err != nil {
		return nil, err
	}
	var runs []span
	before, said := int64(-1), int64(0)
	for _, line := range lines {
		next, err := parseSpan(line)
		if err != nil {
			return nil, err
		}
		if next.first < before+2 {
			return nil, errors.New("a line does not begin at least 2 behind the end of the line before: " + line)
		}
		before, said = next.last, said+next.last-next.first+1
		runs = append(runs, next)
	}
	if said != count {
		return nil, fmt.Errorf("it says %d positions, and %d entries are shown and withheld", said, count)
	}
	return runs, nil
}

func parseSpan(line string) (span, error) {
	from, to, isRange := strings.Cut(line, "-")
	first, err := decimalOf(from)
	if err != nil || !isRange {
		return span{first, first}, err
	}
	last, err := decimalOf(to)
	if err == nil && last <= first {
		err = errors.New("a run does not rise: " + line)
	}
	return span{first, last}, err
}
