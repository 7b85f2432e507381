package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The vectors that tests/domain/sealing/test_vectors.py holds Qingling against, held against Go here.

var (
	entries = []string{"", "\x00", "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43", "\x50\x51\x52\x53\x54\x55\x56\x57",
		"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"}
	roots = []string{"6e340b9c afa01d", "fac54203 3c125", "aeb6bcfe 06e77", "d37ee418 614b7", "4e3bbb1f 264d4", "76e67dad 087ef",
		"ddb89be4 74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328 8"}
)

const (
	name      = "audit.example.org/log1"
	vkey      = "audit.example.org/log1+17846be1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
	body      = "audit.example.org/log1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
	signature = "— audit.example.org/log1 F4Rr4XZtMSn4D9GVe8xsw0IwIK2fYlck2FoOn5VfHAdgOXy8lQc9Cju+FyCm18QHg0vI8tZXujC7PxtoxlfAXzw1gg8=\n"
	witness   = "witness.example.org/w1 z80aZwAAAABpVbkA5MFyGug+nCt0LAFLRoiw1PmI1a006mXxHqv+pbLg6S+1CS4q6YGznZdXFG3Ti3sek0pP0zC7Y41SZX83yIk1DA=="
	witnessed = 1767225600
)

func seed() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func TestRootsAreThoseOfTheReferenceTree(t *testing.T) {
	var hashes memory
	for n, entry := range entries {
		added, err := tlog.StoredHashes(int64(n), []byte(entry), hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, added...)
		root, err := tlog.TreeHash(int64(n+1), hashes)
		if err != nil {
			t.Fatal(err)
		}
		begins, ends, _ := strings.Cut(roots[n], " ")
		if text := fmt.Sprintf("%x", root[:]); !strings.HasPrefix(text, begins) || !strings.HasSuffix(text, ends) {
			t.Errorf("%d: %s", n+1, text)
		}
	}
}

func TestTheSeedSignsTheCheckpointWithThePublishedLine(t *testing.T) {
	key := seed()
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	material := base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...))
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), material))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: body}, signer)
	if err != nil || string(signed) != body+"\n"+signature {
		t.Errorf("%s %v", signed, err)
	}
	if opened, err := note.Open(signed, note.VerifierList(verifier)); err != nil || opened.Text != body {
		t.Error(err)
	}
}

func TestTheWitnessSignsItsTimeWithTheCheckpoint(t *testing.T) {
	_, encoded, _ := strings.Cut(witness, " ")
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || binary.BigEndian.Uint32(data) != 0xcfcd1a67 || binary.BigEndian.Uint64(data[4:]) != witnessed {
		t.Fatal(data, err)
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", witnessed, body)
	if !ed25519.Verify(seed().Public().(ed25519.PublicKey), []byte(message), data[12:]) {
		t.Error("the cosignature does not verify")
	}
}

func TestPathsLoseTheirHeight(t *testing.T) {
	for tile, expected := range map[tlog.Tile]string{
		{H: 8, L: 0, N: 1234067, W: 256}: "tile/0/x001/x234/067",
		{H: 8, L: 0, N: 273, W: 112}:     "tile/0/273.p/112",
		{H: 8, L: 2, N: 0, W: 1}:         "tile/2/000.p/1",
	} {
		if path(tile) != expected {
			t.Error(path(tile))
		}
	}
}
