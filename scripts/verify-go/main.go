// Command verify-go checks what a Qingling log hands out, with nothing but a public key: no database, no network.
//
//	verify-go -key VKEY|FILE PACK.zip
//	verify-go -key VKEY|FILE [-entry FILE] FILE.tlog-proof
//
// In place of -key, -policy FILE (C2SP tlog-policy) says which logs are trusted, and which witnesses must have cosigned.
//
// It is a second implementation, written from docs/packs.md, docs/proofs.md and the C2SP specifications, so that trust does
// not rest on the Python that made the files. Signatures, record hashes and inclusion proofs are those of Go's own module
// transparency packages (golang.org/x/mod/sumdb/note and tlog); what is here is the rest.
//
// Of an evidence pack it checks rules 1 to 6 and 8 of docs/packs.md. It does not re-derive the ledgers (rule 7): it holds their
// digests against the event in the log that was recorded before the pack was written. Evidence files it does not open.
//
// Exit codes: 0 everything holds; 9 something does not, and a sentence for each says what, by rule, file and position; 2 the
// command line is wrong, or a file it names cannot be read.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const (
	exitHolds   = 0
	exitUsage   = 2
	exitRefused = 9
)

const usage = `Checks an evidence pack, or a proof, of a Qingling log with a public key and nothing else.

  verify-go -key VKEY|FILE PACK.zip
  verify-go -key VKEY|FILE [-entry FILE] FILE.tlog-proof

Either -key or -policy says whom you trust. The key must come from somewhere else than the pack. Exit code 0: everything holds. 9: something does not.

`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(arguments []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("verify-go", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.Usage = func() { fmt.Fprint(complaints, usage); flags.PrintDefaults() }
	key := flags.String("key", "", "public key of the log (`VKEY`), or a file of such keys, one a line; any of them will do")
	policy := flags.String("policy", "", "C2SP policy `FILE`: logs, witnesses, and how many of them must have cosigned")
	entry := flags.String("entry", "", "`FILE` of the entry that a proof is for, byte for byte")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitHolds
		}
		return exitUsage
	}
	if flags.NArg() != 1 || (*key == "") == (*policy == "") {
		flags.Usage()
		return exitUsage
	}
	trusted, err := readTrust(*key, *policy)
	if err == nil {
		err = check(out, flags.Arg(0), *entry, trusted)
	}
	return exitCode(err, complaints)
}

// exitCode says what is wrong, if anything is, and turns it into an exit code.
func exitCode(err error, complaints io.Writer) int {
	var refused refusals
	switch {
	case err == nil:
		return exitHolds
	case errors.As(err, &refused):
		fmt.Fprint(complaints, refused.Error())
		return exitRefused
	default:
		fmt.Fprintf(complaints, "verify-go: %v\n", err)
		return exitUsage
	}
}

// check verifies one file, a pack or a proof by how it begins, and prints what was checked.
func check(out io.Writer, path, entryPath string, trusted *policy) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var begin [4]byte
	if _, err := file.ReadAt(begin[:], 0); err != nil && err != io.EOF {
		return err
	}
	if !bytes.Equal(begin[:], []byte("PK\x03\x04")) {
		return checkProof(out, path, entryPath, trusted)
	}
	if entryPath != "" {
		return errors.New("-entry is for a proof; a pack holds its entries")
	}
	status, err := file.Stat()
	if err != nil {
		return err
	}
	found, err := verifyPack(file, status.Size(), trusted)
	if err != nil {
		return err
	}
	found.print(out)
	return nil
}

func checkProof(out io.Writer, path, entryPath string, trusted *policy) error {
	data, err := readSmall(path)
	if err != nil {
		return err
	}
	var entry []byte
	if entryPath != "" {
		if entry, err = readSmall(entryPath); err != nil {
			return err
		}
	}
	found, err := verifyProof(data, entry, entryPath != "", trusted)
	if err != nil {
		return asRefusal(path, err)
	}
	found.print(out)
	return nil
}

// maxSmall is far more than a key, a policy, a proof or an entry can have.
const maxSmall = 4 << 20

// readSmall reads a file named on the command line.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSmall+1))
	if err == nil && len(data) > maxSmall {
		err = fmt.Errorf("%s has more than %d bytes, and is nothing that this command reads", path, maxSmall)
	}
	return data, err
}
