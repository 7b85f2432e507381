package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// testdata holds two packs of one synthetic log that the tests in tests/interop make, and whom to trust.

func data(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func trusted(t testing.TB) *policy {
	t.Helper()
	policy, err := parsePolicy(data(t, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func verify(pack []byte, trusted *policy) (*packCheck, error) {
	return verifyPack(bytes.NewReader(pack), int64(len(pack)), trusted)
}

func TestThePacksHold(t *testing.T) {
	for name, expected := range map[string]string{
		"case.zip": `an evidence pack of synthetic, {"kind":"case","value":"case-1-2"}`,
		"all.zip":  "8 of the log's 8 partitions are here, each whole",
	} {
		found, err := verify(data(t, name), trusted(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var out bytes.Buffer
		if found.print(&out); !strings.Contains(out.String(), expected) {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

// A deflated file has bits behind its end that say nothing, so that a pack may hold with a bit changed; its files are then what
// they were.
func TestAPackWithAnyByteChangedIsRefusedOrHasTheSameFiles(t *testing.T) {
	pack, trust := data(t, "case.zip"), trusted(t)
	expected := unpacked(t, pack)
	for at := range pack {
		for _, change := range []byte{0x01, 0xff} {
			pack[at] ^= change
			if _, err := verify(pack, trust); err == nil && !reflect.DeepEqual(unpacked(t, pack), expected) {
				t.Errorf("byte %d of %d, changed by %02x", at, len(pack), change)
			}
			pack[at] ^= change
		}
	}
}

func TestBytesBehindTheEndOfADeflatedFileAreFound(t *testing.T) {
	files := unpacked(t, data(t, "case.zip"))
	if _, err := verify(files.zippedWith([]byte("smuggled")), trusted(t)); err == nil ||
		!strings.Contains(err.Error(), "bytes stand behind its end") {
		t.Error(err)
	}
}

func TestAPackCutShortOrPutTogetherIsRefused(t *testing.T) {
	pack, trust := data(t, "case.zip"), trusted(t)
	for length := 0; length < len(pack); length += 7 {
		if _, err := verify(pack[:length], trust); err == nil {
			t.Errorf("cut at %d", length)
		}
	}
	for name, whole := range map[string][]byte{
		"twice":       append(append([]byte(nil), pack...), pack...),
		"one more":    append(append([]byte(nil), pack...), 0),
		"one before":  append([]byte{0}, pack...),
		"with others": append(append([]byte(nil), data(t, "all.zip")...), pack...),
	} {
		if _, err := verify(whole, trust); err == nil {
			t.Error(name)
		}
	}
}

// Whoever changes a file can seal the manifest again, which nobody signs.
func TestAFileChangedAndSealedAgainIsRefused(t *testing.T) {
	for _, each := range []struct {
		file, from, to, refused string
	}{
		{"ledgers/case.csv", "1", "2", "rule 6, ledgers/case.csv, position "},
		{"ledgers/claim.xlsx", "claim", "other", "rule 6, ledgers/claim.xlsx, position "},
		{"withheld.json", "{}", `{"2":{"leaf":"` + strings.Repeat("0", 64) + `","partitionkey":"log"}}`, "rule 1, positions.txt"},
		{"positions.txt", "1\n", "", "rule 1, positions.txt"},
		{"checkpoint", "synthetic\n", "another.org\n", "rule 2, checkpoint"},
		{"entries.jsonl", `"version":1,`, `"version":01,`, "rule 4, entries.jsonl, position 1: it is not canonical JSON"},
		{"entries.jsonl", `"kind":"simulation"`, `"kind":"real"`, "rule 4, entries.jsonl, position 1: the log says of itself"},
		{"wholeness.json", `"entries":`, `"entries":1`, "rule 5, wholeness.json"},
		{"wholeness.json", `"index":`, `"idx":`, "rule 1, wholeness.json"},
		{"proof.txt", "\n", "=\n", "rule 1, proof.txt"},
		{"README.html", "html", "htm", ""},
		{"schemas/case.registered.v1.json", "{}", `{"a":1}`, ""},
	} {
		files := unpacked(t, data(t, "case.zip"))
		files.change(each.file, each.from, each.to)
		_, err := verify(files.sealed(t), trusted(t))
		if each.refused == "" && err != nil || each.refused != "" && (err == nil || !strings.Contains(err.Error(), each.refused)) {
			t.Errorf("%s: %q instead of %q: %v", each.file, each.to, each.from, err)
		}
	}
}

func TestAZipThatUnpacksToMoreThanItSaysIsNotUnpackedToTheEnd(t *testing.T) {
	files := unpacked(t, data(t, "case.zip"))
	for i := range files {
		if files[i].name == "entries.jsonl" {
			files[i].content = bytes.Repeat([]byte("\n"), 50_000_000)
		}
	}
	if _, err := verify(files.zipped(), trusted(t)); err == nil || !strings.Contains(err.Error(), "rule 1, entries.jsonl") {
		t.Error(err)
	}
}

func FuzzPack(f *testing.F) {
	var made []packFiles
	for _, name := range []string{"case.zip", "all.zip"} {
		f.Add(data(f, name))
		made = append(made, unpacked(f, data(f, name)))
	}
	trust := trusted(f)
	f.Fuzz(func(t *testing.T, pack []byte) {
		if _, err := verify(pack, trust); err != nil {
			return
		}
		if files := unpacked(t, pack); !reflect.DeepEqual(files, made[0]) && !reflect.DeepEqual(files, made[1]) {
			t.Error("a pack that nobody made holds")
		}
	})
}

// ---------------------------------------------------------------------------------------------------------------- proofs

func TestAProofHoldsForItsEntryAndByItsReceipt(t *testing.T) {
	proof, entry := data(t, "entry.tlog-proof"), data(t, "entry.json")
	for _, hasEntry := range []bool{true, false} {
		if found, err := verifyProof(proof, entry, hasEntry, trusted(t)); err != nil || found.position != 5 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	if _, err := verifyProof(proof, append(entry, '\n'), true, trusted(t)); err == nil {
		t.Error("another entry")
	}
}

func TestAProofWithAnyBitChangedIsRefused(t *testing.T) {
	proof, trust := data(t, "entry.tlog-proof"), trusted(t)
	for at := range proof {
		for bit := 0; bit < 8; bit++ {
			proof[at] ^= 1 << bit
			if _, err := verifyProof(proof, nil, false, trust); err == nil {
				t.Errorf("bit %d of byte %d", bit, at)
			}
			proof[at] ^= 1 << bit
		}
	}
}

func FuzzProof(f *testing.F) {
	f.Add(data(f, "entry.tlog-proof"))
	trust := trusted(f)
	f.Fuzz(func(t *testing.T, proof []byte) {
		if _, err := verifyProof(proof, nil, false, trust); err == nil && !bytes.Equal(proof, data(t, "entry.tlog-proof")) {
			t.Error("a proof that nobody made holds")
		}
	})
}

// ----------------------------------------------------------------------------------------------------------- command line

func TestExitCodes(t *testing.T) {
	for _, each := range []struct {
		arguments string
		code      int
	}{
		{"-key testdata/log.vkey testdata/case.zip", exitHolds},
		{"-policy testdata/policy testdata/all.zip", exitHolds},
		{"-key testdata/log.vkey testdata/entry.tlog-proof", exitHolds},
		{"-key testdata/log.vkey -entry testdata/entry.json testdata/entry.tlog-proof", exitHolds},
		{"-key testdata/log.vkey -entry testdata/policy testdata/entry.tlog-proof", exitRefused},
		{"-key testdata/log.vkey testdata/policy", exitRefused},
		{"-key testdata/policy testdata/case.zip", exitRefused},
		{"-policy testdata/log.vkey testdata/case.zip", exitRefused},
		{"-key testdata/log.vkey", exitUsage},
		{"testdata/case.zip", exitUsage},
		{"-key testdata/none testdata/case.zip", exitUsage},
		{"-key testdata/log.vkey testdata/none", exitUsage},
		{"-h", exitHolds},
	} {
		var out, complaints bytes.Buffer
		if code := run(strings.Fields(each.arguments), &out, &complaints); code != each.code {
			t.Errorf("%s: %d, not %d: %s", each.arguments, code, each.code, complaints.String())
		}
		if each.code == exitRefused && !strings.HasPrefix(complaints.String(), "refused: ") {
			t.Errorf("%s: %s", each.arguments, complaints.String())
		}
	}
}

// ------------------------------------------------------------------------------------------------- taking a pack apart

type packFile struct {
	name    string
	content []byte
}

type packFiles []packFile

func unpacked(t testing.TB, pack []byte) (files packFiles) {
	t.Helper()
	reader, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range reader.File {
		content, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, packFile{member.Name, all})
	}
	return files
}

// change replaces the first occurrence of a text in a file.
func (f packFiles) change(name, from, to string) {
	for i := range f {
		if f[i].name == name {
			f[i].content = bytes.Replace(f[i].content, []byte(from), []byte(to), 1)
		}
	}
}

// sealed is the zip of the files, with their digests in its manifest.
func (f packFiles) sealed(t testing.TB) []byte {
	t.Helper()
	var says map[string]any
	decoder := json.NewDecoder(bytes.NewReader(f[0].content))
	decoder.UseNumber()
	if err := decoder.Decode(&says); err != nil {
		t.Fatal(err)
	}
	digests := make(map[string]any)
	for _, file := range f[1:] {
		digests[file.name] = map[string]any{
			"bytes":  json.Number(fmt.Sprint(len(file.content))),
			"sha256": fmt.Sprintf("%x", sha256.Sum256(file.content)),
		}
	}
	says["files"] = digests
	f[0].content, _ = encoded(says)
	return f.zipped()
}

// zipped writes the files by docs/packs.md, in their order.
func (f packFiles) zipped() []byte {
	return f.zippedWith(nil)
}

// zippedWith is zipped, with something behind the end of each file.
func (f packFiles) zippedWith(behind []byte) []byte {
	var pack, directory []byte
	for _, file := range f {
		var deflated bytes.Buffer
		writer, _ := flate.NewWriter(&deflated, flate.DefaultCompression)
		writer.Write(file.content)
		writer.Close()
		content := append(deflated.Bytes(), behind...)
		member := &zip.File{FileHeader: zip.FileHeader{Name: file.name, Method: zip.Deflate}}
		member.CRC32 = crc32.ChecksumIEEE(file.content)
		member.CompressedSize64, member.UncompressedSize64 = uint64(len(content)), uint64(len(file.content))
		directory = append(directory, directoryHeader(member, int64(len(pack)))...)
		pack = append(append(pack, localHeader(member)...), content...)
	}
	return append(append(pack, directory...), endRecord(len(f), len(directory), int64(len(pack)))...)
}
