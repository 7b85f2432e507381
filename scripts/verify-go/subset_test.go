package main

import (
	"fmt"
	"reflect"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// proofOf is the subset proof as docs/proofs.md describes it: the hashes of ranges that hold none of the leaves, in the order
// of the walk. Positions count from 1.
func proofOf(leaves []tlog.Hash, packed map[int]bool, low, high int) []tlog.Hash {
	count := 0
	for i := low; i < high; i++ {
		if packed[i+1] {
			count++
		}
	}
	switch {
	case count == 0:
		return []tlog.Hash{rootOf(leaves[low:high])}
	case count == high-low:
		return nil
	}
	middle := low + int(half(int64(high-low)))
	return append(proofOf(leaves, packed, low, middle), proofOf(leaves, packed, middle, high)...)
}

func numbered(count int) []tlog.Hash {
	leaves := make([]tlog.Hash, count)
	for i := range leaves {
		leaves[i] = tlog.RecordHash([]byte(fmt.Sprint("entry ", i)))
	}
	return leaves
}

// eachSubset hands out every subset of every tree up to a size, with its proof.
func eachSubset(largest int, each func(size int, root tlog.Hash, s subset)) {
	for size := 1; size <= largest; size++ {
		leaves := numbered(size)
		root := rootOf(leaves)
		for bits := 1; bits < 1<<size; bits++ {
			packed := make(map[int]bool)
			var s subset
			for i := 0; i < size; i++ {
				if bits>>i&1 == 1 {
					packed[i+1] = true
					s.positions = append(s.positions, int64(i+1))
					s.leaves = append(s.leaves, leaves[i])
				}
			}
			s.proof = proofOf(leaves, packed, 0, size)
			each(size, root, s)
		}
	}
}

func TestEverySubsetOfEverySmallTreeIsProved(t *testing.T) {
	eachSubset(11, func(size int, root tlog.Hash, s subset) {
		if err := s.check(int64(size), root); err != nil {
			t.Fatalf("%v of %d: %v", s.positions, size, err)
		}
	})
}

func TestASubsetWithAnythingChangedIsRefused(t *testing.T) {
	eachSubset(7, func(size int, root tlog.Hash, s subset) {
		for what, changed := range spoilt(s) {
			if err := changed.check(int64(size), root); err == nil {
				t.Fatalf("%v of %d holds with %s", s.positions, size, what)
			}
		}
	})
}

func spoilt(s subset) map[string]subset {
	changed := make(map[string]subset)
	for i := range s.leaves {
		other := s
		other.leaves = append([]tlog.Hash(nil), s.leaves...)
		other.leaves[i][31] ^= 1
		changed[fmt.Sprint("leaf ", i)] = other
	}
	for i := range s.proof {
		other := s
		other.proof = append([]tlog.Hash(nil), s.proof...)
		other.proof[i][0] ^= 0x80
		changed[fmt.Sprint("hash ", i)] = other
		other.proof = append(append([]tlog.Hash(nil), s.proof[:i]...), s.proof[i+1:]...)
		changed[fmt.Sprint("without hash ", i)] = other
	}
	other := s
	other.proof = append(append([]tlog.Hash(nil), s.proof...), tlog.Hash{})
	changed["one hash more"] = other
	other = s
	other.positions = append(append([]int64(nil), s.positions[:len(s.positions)-1]...), 99)
	changed["a position behind the tree"] = other
	return changed
}

func TestPositionsAreRisingRuns(t *testing.T) {
	got, err := parsePositions([]byte("1-3\n5\n7-8\n"), 6)
	if err != nil || !reflect.DeepEqual(got, []span{{1, 3}, {5, 5}, {7, 8}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOtherSpellingsOfPositionsAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "1-6", "1-6\n\n", "0-5\n", "01-6\n", "1-2\n3-6\n", "1\n2-6\n", "6\n1-5\n", "1-1\n3-7\n", "2-1\n4-9\n", "1-5\n7\r\n",
		"1-7\n", "1-5\n", "1-6\n8\n", "+1-6\n", "1 - 6\n", "1-9223372036854775807\n", "1-99999999999999999999\n",
	} {
		if got, err := parsePositions([]byte(text), 6); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestRootsAreThoseOfTheReferenceTree(t *testing.T) {
	var leaves []tlog.Hash
	for _, data := range []string{"", "\x00", "\x10", "\x20\x21", "\x30\x31", "@ABC", "PQRSTUVW", "`abcdefghijklmno"} {
		leaves = append(leaves, tlog.RecordHash([]byte(data)))
	}
	root := rootOf(leaves)
	if got := fmt.Sprintf("%x", root[:]); got != "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" {
		t.Error(got)
	}
}
