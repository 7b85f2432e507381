package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// proofFile is a proof to take home (C2SP tlog-proof), not checked yet.
type proofFile struct {
	extra []byte
	index int64
	path  tlog.RecordProof
	note  []byte
}

// receipt is what Qingling writes into the extra data of a proof: QL1 <origin> <position> <leaf hash>. Nobody vouches for it,
// so it is held against the proof around it.
type receipt struct {
	origin   string
	position int64
	leaf     tlog.Hash
}

// provedEntry is what a proof that holds proves.
type provedEntry struct {
	head     *head
	position int64
	leaf     tlog.Hash
	receipt  bool
	entry    bool
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	maxPath     = 63
)

// verifyProof checks that the log has an entry at the position of the proof, under a head that is trusted. Which entry is said
// by the bytes of it, by the receipt in the proof, or by both.
func verifyProof(data, entry []byte, hasEntry bool, trusted *policy) (*provedEntry, error) {
	proof, err := parseProof(string(data))
	if err != nil {
		return nil, err
	}
	head, err := trusted.open(proof.note)
	if err != nil {
		return nil, err
	}
	found := &provedEntry{head: head, position: proof.index + 1, entry: hasEntry}
	own, err := parseReceipt(string(proof.extra))
	found.receipt = err == nil
	switch {
	case err != nil && !hasEntry:
		return nil, errors.New("it bears no receipt, so that nothing says which entry is meant: hand over the entry with -entry")
	case found.receipt && (own.position != found.position || own.origin != head.origin):
		return nil, fmt.Errorf("its receipt is for position %d of %s, the proof around it for position %d of %s",
			own.position, own.origin, found.position, head.origin)
	case found.receipt && hasEntry && own.leaf != tlog.RecordHash(entry):
		return nil, fmt.Errorf("the entry is not the one that the receipt for position %d is for", own.position)
	}
	if found.leaf = own.leaf; hasEntry {
		found.leaf = tlog.RecordHash(entry)
	}
	if proof.index >= head.size {
		return nil, fmt.Errorf("a tree of %d leaves has no position %d", head.size, found.position)
	}
	if tlog.CheckRecord(proof.path, head.size, head.root, proof.index, found.leaf) != nil {
		return nil, fmt.Errorf("the tree of %d leaves does not have this entry at position %d", head.size, found.position)
	}
	return found, nil
}

func parseProof(text string) (*proofFile, error) {
	split := strings.Index(text, "\n\n")
	if split < 0 {
		return nil, errors.New("it is neither an evidence pack nor a proof")
	}
	lines := strings.Split(text[:split], "\n")
	proof := &proofFile{note: []byte(text[split+2:])}
	if lines[0] != proofHeader {
		return nil, fmt.Errorf("it does not begin with %s", proofHeader)
	}
	lines = lines[1:]
	var err error
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if proof.extra, err = base64Of(lines[0][len("extra "):]); err != nil || len(proof.extra) == 0 {
			return nil, errors.New("its line for extra data holds none in standard Base64")
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return nil, errors.New("it does not say the index of its leaf")
	}
	if proof.index, err = decimalOf(lines[0][len("index "):]); err != nil {
		return nil, fmt.Errorf("the index of the leaf: %w", err)
	}
	if proof.path, err = pathOf(lines[1:]); err != nil {
		return nil, err
	}
	return proof, nil
}

// pathOf reads the hashes of an inclusion proof, the sibling of the leaf first.
func pathOf(lines []string) (tlog.RecordProof, error) {
	if len(lines) > maxPath {
		return nil, fmt.Errorf("a path has at most %d hashes", maxPath)
	}
	path := make(tlog.RecordProof, 0, len(lines))
	for _, line := range lines {
		hash, err := hashOf(line)
		if err != nil {
			return nil, fmt.Errorf("a hash of the path: %w", err)
		}
		path = append(path, hash)
	}
	return path, nil
}

func parseReceipt(text string) (receipt, error) {
	parts := strings.Split(text, " ")
	if len(parts) != 4 || parts[0] != "QL1" || parts[1] == "" {
		return receipt{}, errors.New("a receipt reads: QL1 <origin> <position> <leaf hash>")
	}
	position, err := decimalOf(parts[2])
	if err != nil || position < 1 {
		return receipt{}, errors.New("the position of a receipt counts from 1")
	}
	leaf, err := hashOf(parts[3])
	return receipt{parts[1], position, leaf}, err
}

func (p *provedEntry) print(out io.Writer) {
	fmt.Fprintf(out, "holds: %s has this entry at position %d\n", p.head.origin, p.position)
	fmt.Fprintf(out, "  leaf hash %s, in the tree of %d leaves with the root %s\n", p.leaf, p.head.size, p.head.root)
	for _, line := range p.head.signedBy() {
		fmt.Fprintf(out, "  %s\n", line)
	}
	switch {
	case !p.entry:
		fmt.Fprintln(out, "  which entry is said by the receipt in the proof; with -entry the bytes themselves are checked")
	case p.receipt:
		fmt.Fprintln(out, "  the entry handed over is the one of the receipt in the proof")
	}
	fmt.Fprint(out, "not proved: that what the entry says is true, and that nothing recorded elsewhere contradicts it\n")
}
