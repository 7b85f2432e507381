package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"regexp"
)

// Rule 1: the zip is exactly what its manifest says. A zip can be read in more than one way: members of one name, a directory
// that differs from what stands before the members, bytes that no member owns. So that all who open a pack see the same files,
// it has one layout, manifest first, and no field in it is free: what a header must be follows from the member.

const (
	manifestName = "manifest.json"
	maxMembers   = 10_000
)

// required files stand in every pack; beside them there are ledgers, schemas and evidence files.
var required = []string{
	manifestName, "checkpoint", "entries.jsonl", "positions.txt", "proof.txt", "README.html", "wholeness.json", "withheld.json",
}

var furtherFile = regexp.MustCompile(`^(ledgers/[a-z][a-z_-]{0,80}\.(csv|xlsx)|schemas/[a-z0-9][a-z0-9.-]{0,120}\.json|files/[0-9a-f]{64}(\.json)?)$`)

// archive is a zip whose layout has been checked, and what the manifest says of its members.
type archive struct {
	members  map[string]*zip.File
	declared map[string]fileDigest
}

// fileDigest is what the manifest says of a file.
type fileDigest struct {
	bytes  int64
	sha256 string
}

func openArchive(file io.ReaderAt, size int64) (*archive, error) {
	reader, err := zip.NewReader(file, size)
	if err != nil {
		return nil, refuse(1, "", "the file is not a zip: %v", err)
	}
	if len(reader.File) == 0 || len(reader.File) > maxMembers || reader.File[0].Name != manifestName {
		return nil, refuse(1, "", "the zip does not begin with %s, or has more than %d members", manifestName, maxMembers)
	}
	a := &archive{members: make(map[string]*zip.File)}
	for _, member := range reader.File {
		if err := a.admit(member); err != nil {
			return nil, err
		}
	}
	for _, name := range required {
		if a.members[name] == nil {
			return nil, refuse(1, name, "the pack does not hold this file")
		}
	}
	return a, requireLayout(file, size, reader)
}

// admit takes a member by its name, which must be one that a pack has, once.
func (a *archive) admit(member *zip.File) error {
	name := member.Name
	if !isRequired(name) && !furtherFile.MatchString(name) {
		return refuse(1, fmt.Sprintf("%.200q", name), "a pack has no file of this name")
	}
	if a.members[name] != nil {
		return refuse(1, name, "the zip holds two files of this name")
	}
	if member.Method != zip.Deflate {
		return refuse(1, name, "it is packed otherwise than by deflate")
	}
	a.members[name] = member
	return nil
}

func isRequired(name string) bool {
	for _, each := range required {
		if name == each {
			return true
		}
	}
	return false
}

// requireLayout checks that headers, members and directory fill the file from its first byte to its last, and that every header
// is the one that its member must have.
func requireLayout(file io.ReaderAt, size int64, reader *zip.Reader) error {
	at := int64(0)
	var directory []byte
	for _, member := range reader.File {
		header := localHeader(member)
		directory = append(directory, directoryHeader(member, at)...)
		if !holdsAt(file, at, header) {
			return refuse(1, member.Name, "it does not stand behind the member before it, or its header is not the one it must have")
		}
		at += int64(len(header)) + int64(member.CompressedSize64)
	}
	directory = append(directory, endRecord(len(reader.File), len(directory), at)...)
	if at > maxArchive || !holdsAt(file, at, directory) || at+int64(len(directory)) != size {
		return refuse(1, "", "behind its members the zip has not exactly the directory that they must have")
	}
	return nil
}

// maxArchive is what a zip without Zip64 can hold.
const maxArchive = 1<<32 - 1

func holdsAt(file io.ReaderAt, at int64, expected []byte) bool {
	found := make([]byte, len(expected))
	_, err := file.ReadAt(found, at)
	return err == nil && bytes.Equal(found, expected)
}

// What the fields of a header say that say nothing of the content (docs/packs.md, The formats): version 2.0, made by Unix, on
// 1980-01-01 at midnight, a regular file with mode 0644.
const (
	zipVersion    = 20
	zipMadeBy     = 3<<8 | zipVersion
	zipDay        = 1<<5 | 1
	zipAttributes = 0o100644 << 16
)

// fields writes values little-endian, each as wide as its type.
func fields(values ...any) []byte {
	var data bytes.Buffer
	for _, value := range values {
		binary.Write(&data, binary.LittleEndian, value) // a buffer takes everything
	}
	return data.Bytes()
}

// commonFields stand in a local header and in the directory: from the version needed to the length of the extra field.
func commonFields(member *zip.File) []byte {
	return fields(uint16(zipVersion), uint16(0), member.Method, uint16(0), uint16(zipDay), member.CRC32,
		uint32(member.CompressedSize64), uint32(member.UncompressedSize64), uint16(len(member.Name)), uint16(0))
}

func localHeader(member *zip.File) []byte {
	return append(append([]byte("PK\x03\x04"), commonFields(member)...), member.Name...)
}

func directoryHeader(member *zip.File, offset int64) []byte {
	header := append([]byte("PK\x01\x02"), fields(uint16(zipMadeBy))...)
	header = append(header, commonFields(member)...)
	header = append(header, fields(uint16(0), uint16(0), uint16(0), uint32(zipAttributes), uint32(offset))...)
	return append(header, member.Name...)
}

func endRecord(members, directory int, offset int64) []byte {
	count := uint16(members)
	return append([]byte("PK\x05\x06"), fields(uint16(0), uint16(0), count, count, uint32(directory), uint32(offset), uint16(0))...)
}

// declare takes what the manifest says of the files, and holds it against what is there.
func (a *archive) declare(files map[string]fileDigest) refusals {
	var wrong refusals
	a.declared = files
	for name := range files {
		if a.members[name] == nil || name == manifestName {
			wrong = append(wrong, refuse(1, manifestName, "it names %q, which the zip does not hold", name))
		}
	}
	for name := range a.members {
		if _, ok := files[name]; !ok && name != manifestName {
			wrong = append(wrong, refuse(1, name, "the manifest does not name this file"))
		}
	}
	return wrong
}

// stream opens a file of the pack. Its digest is known once all of it has been read.
func (a *archive) stream(name string) (*fileStream, error) {
	packed, err := a.members[name].OpenRaw()
	if err != nil {
		return nil, refuse(1, name, "it cannot be unpacked: %v", err)
	}
	file := &fileStream{name: name, member: a.members[name], declared: a.declared[name], digest: sha256.New()}
	file.packed = bufio.NewReader(packed)
	file.content = flate.NewReader(file.packed)
	return file, nil
}

// fileStream reads a file and no more of it than the manifest declares, and hashes what it reads.
type fileStream struct {
	name     string
	member   *zip.File
	declared fileDigest
	packed   *bufio.Reader // inflating reads it byte by byte, and stops where the file ends
	content  io.Reader
	digest   hash.Hash
	crc      uint32
	read     int64
	broken   error
}

func (f *fileStream) Read(buffer []byte) (int, error) {
	if f.broken != nil {
		return 0, f.broken
	}
	n, err := f.content.Read(buffer)
	f.digest.Write(buffer[:n])
	f.crc = crc32.Update(f.crc, crc32.IEEETable, buffer[:n])
	if f.read += int64(n); f.read > f.declared.bytes {
		f.broken = refuse(1, f.name, "it has more than the %d bytes that the manifest says", f.declared.bytes)
		return 0, f.broken
	}
	if err != nil && err != io.EOF {
		f.broken = refuse(1, f.name, "it cannot be unpacked: %v", err)
		err = f.broken
	}
	return n, err
}

// finish reads what is left, and checks length and digest.
func (f *fileStream) finish() error {
	io.Copy(io.Discard, f) // what goes wrong is in broken
	if f.broken != nil {
		return f.broken
	}
	_, more := f.packed.ReadByte()
	switch {
	case f.read != f.declared.bytes || uint64(f.read) != f.member.UncompressedSize64:
		return refuse(1, f.name, "it has %d bytes; the manifest says %d", f.read, f.declared.bytes)
	case f.crc != f.member.CRC32 || more != io.EOF:
		return refuse(1, f.name, "its checksum in the zip is wrong, or bytes stand behind its end")
	case f.declared.sha256 != "" && hex.EncodeToString(f.digest.Sum(nil)) != f.declared.sha256:
		return refuse(1, f.name, "its SHA-256 is not the one that the manifest says")
	}
	return nil
}

// maxText is the longest file that is held in memory as a whole.
const maxText = 1 << 28

// whole reads a file into memory.
func (a *archive) whole(name string, limit int64) ([]byte, error) {
	if a.declared[name].bytes > limit {
		return nil, refuse(1, name, "it has more than %d bytes", limit)
	}
	file, err := a.stream(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	if ended := file.finish(); ended != nil {
		return nil, ended
	}
	return data, err
}

// manifest reads the one file of which no digest is declared.
func (a *archive) manifest() ([]byte, error) {
	a.declared = map[string]fileDigest{manifestName: {bytes: int64(a.members[manifestName].UncompressedSize64)}}
	return a.whole(manifestName, maxText)
}
