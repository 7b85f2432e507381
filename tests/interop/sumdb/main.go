// Command sumdb lets Go's own module transparency packages, note and tlog, read what a log of Qingling publishes, and make what
// Qingling reads. It knows none of the formats itself, but for the three lines of a checkpoint and the length before an entry in
// a bundle. What it finds wrong ends it with a message; what it made or found is JSON on standard output.
//
//	sumdb read FOLDER VKEY [NOTE…]    opens FOLDER/checkpoint, and proves records, and growth since the notes, from tiles
//	sumdb make SKEY SIZE…             makes a log of "entry 0", "entry 1", … with heads, proofs and tiles at these sizes
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	found, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sumdb:", err)
		os.Exit(1)
	}
}

func run(arguments []string) (any, error) {
	switch {
	case len(arguments) >= 3 && arguments[0] == "read":
		return read(arguments[1], arguments[2], arguments[3:])
	case len(arguments) >= 3 && arguments[0] == "make":
		return makeLog(arguments[1], arguments[2:])
	}
	return nil, errors.New("usage: sumdb read FOLDER VKEY [NOTE…] | sumdb make SKEY SIZE…")
}

// head is a checkpoint that package note opened, with the proofs of package tlog under it.
type head struct {
	Note    string                     `json:"note,omitempty"`
	Size    int64                      `json:"size"`
	Root    tlog.Hash                  `json:"root"`
	Records map[int64]tlog.RecordProof `json:"records"` // by leaf index
	Trees   map[int64]tlog.TreeProof   `json:"trees"`   // by the older size
	Tiles   map[string]string          `json:"tiles,omitempty"`
}

// height is that of the tiles of C2SP tlog-tiles.
const height = 8

// path is where tlog-tiles has a tile: package tlog names the height, too.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

// ---------------------------------------------------------------------------------------------------------------- reading

// folder reads tiles where a log of Qingling keeps them.
type folder string

func (f folder) Height() int                     { return height }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) file(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), name))
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.file(path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// entry is an entry out of the bundle that holds it in a log of a size.
func (f folder) entry(index, size int64) ([]byte, error) {
	bundle := tlog.Tile{H: height, N: index >> height, W: 1 << height}
	if (bundle.N+1)<<height > size {
		bundle.W = int(size & (1<<height - 1))
	}
	data, err := f.file(strings.Replace(path(bundle), "tile/0/", "tile/entries/", 1))
	for skip := index & (1<<height - 1); err == nil; skip-- {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("the bundle of leaf %d ends too early", index)
		}
		length := 2 + int(binary.BigEndian.Uint16(data))
		if skip == 0 {
			return data[2:length], nil
		}
		data = data[length:]
	}
	return nil, err
}

func read(name, vkey string, earlier []string) (*head, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	tiles := folder(name)
	found, err := openFile(filepath.Join(name, "checkpoint"), verifier)
	if err != nil {
		return nil, err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: found.Size, Hash: found.Root}, tiles)
	root, err := tlog.TreeHash(found.Size, reader)
	if err != nil || root != found.Root {
		return nil, fmt.Errorf("the tiles have the root %v, the checkpoint %v: %v", root, found.Root, err)
	}
	for _, index := range sample(found.Size) {
		if err := found.checkRecord(index, tiles, reader); err != nil {
			return nil, fmt.Errorf("leaf %d of %d: %w", index, found.Size, err)
		}
	}
	for _, file := range earlier {
		if err := found.checkGrowth(file, verifier, reader); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return found, nil
}

func (h *head) checkRecord(index int64, tiles folder, reader tlog.HashReader) error {
	data, err := tiles.entry(index, h.Size)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(h.Size, index, reader)
	if err != nil {
		return err
	}
	h.Records[index] = proof
	return tlog.CheckRecord(proof, h.Size, h.Root, index, tlog.RecordHash(data))
}

func (h *head) checkGrowth(file string, verifier note.Verifier, reader tlog.HashReader) error {
	old, err := openFile(file, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(h.Size, old.Size, reader)
	if err != nil {
		return err
	}
	h.Trees[old.Size] = proof
	return tlog.CheckTree(proof, h.Size, h.Root, old.Size, old.Root)
}

func openFile(name string, verifier note.Verifier) (*head, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return nil, fmt.Errorf("%q is no checkpoint of %s", opened.Text, verifier.Name())
	}
	found := &head{Records: make(map[int64]tlog.RecordProof), Trees: make(map[int64]tlog.TreeProof)}
	if found.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return nil, err
	}
	found.Root, err = tlog.ParseHash(lines[2])
	return found, err
}

// sample is leaves at and beside every boundary of a tile and of a tile of tiles, and a few between.
func sample(size int64) []int64 {
	chosen := make(map[int64]bool)
	for _, at := range []int64{0, 1, 255, 256, 257, 511, 512, 1000, 32_768, 65_279, 65_280, 65_535, 65_536, 65_537, 69_888, size / 3, size - 2, size - 1} {
		if 0 <= at && at < size {
			chosen[at] = true
		}
	}
	return sorted(chosen)
}

func sorted(chosen map[int64]bool) (numbers []int64) {
	for number := range chosen {
		numbers = append(numbers, number)
	}
	sort.Slice(numbers, func(i, j int) bool { return numbers[i] < numbers[j] })
	return numbers
}

// ----------------------------------------------------------------------------------------------------------------- making

// memory is the hashes of a log in the order of package tlog.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(m)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes = append(hashes, m[index])
	}
	return hashes, nil
}

func makeLog(skey string, arguments []string) (heads []*head, err error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	var hashes memory
	var older []int64
	for _, argument := range arguments {
		size, err := strconv.ParseInt(argument, 10, 64)
		if err != nil {
			return nil, err
		}
		begin := int64(0)
		if len(older) > 0 {
			begin = older[len(older)-1]
		}
		for n := begin; n < size; n++ {
			added, err := tlog.StoredHashes(n, []byte(fmt.Sprint("entry ", n)), hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, added...)
		}
		made, err := headOf(signer, size, older, hashes)
		if err != nil {
			return nil, err
		}
		heads, older = append(heads, made), append(older, size)
	}
	return heads, nil
}

// headOf signs a head, and proves under it what `read` checks; the tiles are those that the last older log has not.
func headOf(signer note.Signer, size int64, older []int64, hashes memory) (*head, error) {
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, err
	}
	made := &head{Note: string(signed), Size: size, Root: root}
	made.Records, made.Trees = make(map[int64]tlog.RecordProof), make(map[int64]tlog.TreeProof)
	for _, index := range sample(size) {
		if made.Records[index], err = tlog.ProveRecord(size, index, hashes); err != nil {
			return nil, err
		}
	}
	last := int64(0)
	for _, last = range older {
		if made.Trees[last], err = tlog.ProveTree(size, last, hashes); err != nil {
			return nil, err
		}
	}
	made.Tiles = make(map[string]string)
	for _, tile := range tlog.NewTiles(height, last, size) {
		data, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return nil, err
		}
		made.Tiles[path(tile)] = base64.StdEncoding.EncodeToString(data)
	}
	return made, nil
}
