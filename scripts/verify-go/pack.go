package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// packCheck is one pack while it is checked, rule by rule. What is wrong is collected, so that an auditor is told all of it;
// where nothing can be said any more a method returns the refusal instead.
type packCheck struct {
	archive  *archive
	manifest *manifest
	head     *head
	wrong    refusals

	partitions map[string]int32 // by name, the number of a listed partition
	withheld   map[int64]withheldEntry
	runs       []span
	positions  []int64
	leaves     []tlog.Hash
	members    []int32 // of each leaf the partition it counts for, or notCounted

	genesis    *genesis
	commitment *mapHead
	making     *making
	digests    map[string]bool // that shown entries bear; kept where the pack has evidence files
}

// notCounted marks entries behind the commitment, or of no listed partition.
const notCounted = -1

// verifyPack checks a pack by rules 1 to 6 and 8 of docs/packs.md.
func verifyPack(file io.ReaderAt, size int64, trusted *policy) (*packCheck, error) {
	check := &packCheck{}
	err := check.run(file, size, trusted)
	var fatal refusal
	if errors.As(err, &fatal) {
		check.wrong = append(check.wrong, fatal)
	} else if err != nil {
		return nil, err
	}
	if len(check.wrong) > 0 {
		return nil, check.wrong
	}
	return check, nil
}

func (c *packCheck) run(file io.ReaderAt, size int64, trusted *policy) (err error) {
	if c.archive, err = openArchive(file, size); err != nil {
		return err
	}
	data, err := c.archive.manifest()
	if err != nil {
		return err
	}
	if c.manifest, err = parseManifest(data); err != nil {
		return err
	}
	c.wrong = append(c.wrong, c.archive.declare(c.manifest.files)...)
	if len(c.wrong) > 0 {
		return nil
	}
	for name := range c.manifest.files {
		if strings.HasPrefix(name, evidenceFolder) {
			c.digests = make(map[string]bool)
		}
	}
	for _, step := range []func() error{
		func() error { return c.checkHead(trusted) },
		c.checkDigests,
		c.readWithheld,
		c.readPositions,
		c.readEntries,
		c.checkInclusion,
		c.checkGenesis,
		c.checkWholeness,
		c.checkMaking,
		c.checkFiles,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Rule 2: the checkpoint.

func (c *packCheck) checkHead(trusted *policy) error {
	note, err := c.archive.whole("checkpoint", maxNote)
	if err != nil {
		return err
	}
	if c.head, err = trusted.open(note); err != nil {
		return refuse(2, "checkpoint", "%v", err)
	}
	if c.head.origin != c.manifest.origin || c.head.size != c.manifest.size {
		return refuse(2, "checkpoint", "it is of size %d of %s; the manifest says size %d of %s",
			c.head.size, c.head.origin, c.manifest.size, c.manifest.origin)
	}
	return nil
}

// Rule 1: digests of what no other rule reads. The rest is hashed while it is read.

var readByRules = map[string]bool{
	"checkpoint": true, "entries.jsonl": true, "positions.txt": true, "proof.txt": true, "wholeness.json": true, "withheld.json": true,
}

func (c *packCheck) checkDigests() error {
	for _, name := range c.manifest.sortedNames() {
		if readByRules[name] {
			continue
		}
		file, err := c.archive.stream(name)
		if err == nil {
			err = file.finish()
		}
		c.add(err)
	}
	return nil
}

// add collects a refusal after which checking can go on.
func (c *packCheck) add(err error) {
	var one refusal
	if errors.As(err, &one) {
		c.wrong = append(c.wrong, one)
	}
}

// Rule 3: which positions, and what stands there.

func (c *packCheck) readWithheld() error {
	c.partitions = make(map[string]int32, len(c.manifest.partitions))
	for number, name := range c.manifest.partitions {
		c.partitions[name] = int32(number)
	}
	c.withheld = make(map[int64]withheldEntry)
	data, err := c.archive.whole("withheld.json", maxText)
	if err != nil {
		return err
	}
	if err := eachMember(data, c.takeWithheld); err != nil {
		return refuse(1, "withheld.json", "it is not of its form: %v", err)
	}
	return nil
}

func (c *packCheck) takeWithheld(key, value []byte) error {
	position, err := decimalOf(string(key))
	if err != nil || position == 0 || position > c.manifest.upto {
		return fmt.Errorf("%.40q is no position from 1 to %d", key, c.manifest.upto)
	}
	var partition string
	var held withheldEntry
	if err := fieldsOf(value, map[string]func([]byte) error{
		"leaf":         hashInto(&held.leaf),
		"partitionkey": textInto(&partition),
	}); err != nil {
		return fmt.Errorf("position %d: %w", position, err)
	}
	held.partition = c.partitionAt(position, "withheld.json", []byte(partition))
	c.withheld[position] = held
	return nil
}

// partitionAt is the number of the partition that an entry counts for, by rule 5: up to the commitment it must be a listed one;
// behind it nothing is packed but the commitment and the making.
func (c *packCheck) partitionAt(position int64, file string, name []byte) int32 {
	if position > c.manifest.upto {
		if position != c.manifest.wholeness && position != c.manifest.made {
			c.add(refuse(5, file, "an entry behind position %d is packed that is neither commitment nor making",
				c.manifest.upto).at(position))
		}
		return notCounted
	}
	number, ok := c.partitions[string(name)]
	if !ok {
		c.add(refuse(5, file, "its partition %.200q is not listed in the manifest", name).at(position))
		return notCounted
	}
	return number
}

func (c *packCheck) readPositions() error {
	data, err := c.archive.whole("positions.txt", maxText)
	if err != nil {
		return err
	}
	c.runs, err = parsePositions(data, c.manifest.entries+int64(len(c.withheld)))
	if err != nil {
		return refuse(1, "positions.txt", "it is not of its form: %v", err)
	}
	return nil
}

// bufferSize is more than the longest entry.
const bufferSize = 1 << 18

func (c *packCheck) readEntries() error {
	file, err := c.archive.stream("entries.jsonl")
	if err != nil {
		return err
	}
	wrong := c.eachEntry(bufio.NewReaderSize(file, bufferSize))
	c.add(file.finish())
	return wrong
}

// eachEntry reads the entries one by one, and puts those that are withheld between them. Memory grows with what is read, not with
// what the pack says of itself.
func (c *packCheck) eachEntry(lines *bufio.Reader) error {
	shown := int64(0)
	for _, each := range c.runs {
		for position := each.first; position <= each.last; position++ {
			held, withheld := c.withheld[position]
			if !withheld {
				line, err := lines.ReadSlice('\n')
				if err != nil {
					return refuse(1, "entries.jsonl", "after %d of %d entries: %v", shown, c.manifest.entries, unended(err)).at(position)
				}
				line = line[:len(line)-1]
				held = withheldEntry{tlog.RecordHash(line), c.readEntry(position, line)}
				shown++
			}
			c.positions = append(c.positions, position)
			c.leaves = append(c.leaves, held.leaf)
			c.members = append(c.members, held.partition)
			if len(c.wrong) > maxShown {
				return refuse(1, "entries.jsonl", "so much of it is wrong that it is read no further").at(position)
			}
		}
	}
	if shown != c.manifest.entries {
		return refuse(1, "withheld.json", "it withholds positions that are not packed")
	}
	if _, err := lines.ReadByte(); err != io.EOF {
		return refuse(1, "entries.jsonl", "it has more than the %d entries that the manifest says", c.manifest.entries)
	}
	return nil
}

func unended(err error) error {
	switch err {
	case io.EOF:
		return errors.New("the file ends there")
	case bufio.ErrBufferFull:
		return fmt.Errorf("an entry has more than %d bytes", maxEntry)
	}
	return err
}

// Rule 4: an entry is of this log.

const sourcePrefix = "urn:qingling:"

func (c *packCheck) readEntry(position int64, line []byte) int32 {
	wrong := func(rule int, format string, arguments ...any) {
		c.add(refuse(rule, "entries.jsonl", format, arguments...).at(position))
	}
	e, err := parseEntry(line)
	if err != nil {
		wrong(4, "%v", err)
		return notCounted
	}
	if c.digests != nil {
		for _, found := range digestPattern.FindAllSubmatch(line, -1) {
			c.digests[string(found[1])] = true
		}
	}
	if !strings.HasPrefix(string(e.source), sourcePrefix) || string(e.source[len(sourcePrefix):]) != c.manifest.origin {
		wrong(4, "its source %.200q is not the log %s", e.source, c.manifest.origin)
	}
	switch position {
	case 1:
		c.readGenesis(e, wrong)
	case c.manifest.wholeness:
		c.readCommitment(e, wrong)
	case c.manifest.made:
		c.readMaking(e, wrong)
	}
	return c.partitionAt(position, "entries.jsonl", e.partition)
}

func (c *packCheck) readGenesis(e entry, wrong func(int, string, ...any)) {
	found, err := parseGenesis(e.data)
	if err != nil || string(e.kind) != typeCreated || string(e.subject) != logStream {
		wrong(4, "there stands a %.80q of %.80q, and no %s that says what the log is", e.kind, e.subject, typeCreated)
		return
	}
	c.genesis = &found
	if found.origin != c.manifest.origin || found.kind != c.manifest.kind {
		wrong(4, "the log says of itself that it is %q, a %s log; the manifest says %q, %s",
			found.origin, found.kind, c.manifest.origin, c.manifest.kind)
	}
}

func (c *packCheck) readCommitment(e entry, wrong func(int, string, ...any)) {
	upto, head, err := parseCommitment(e.data)
	switch {
	case string(e.kind) != typeCommitment || string(e.subject) != logStream:
		wrong(5, "there stands a %.80q of %.80q, and no %s of the log", e.kind, e.subject, typeCommitment)
	case err != nil:
		wrong(5, "the commitment cannot be read: %v", err)
	case upto != c.manifest.upto:
		wrong(5, "the commitment is as of position %d, the pack as of %d", upto, c.manifest.upto)
	default:
		c.commitment = &head
	}
}

func (c *packCheck) readMaking(e entry, wrong func(int, string, ...any)) {
	found, err := parseMaking(e.data)
	switch {
	case string(e.kind) != typeMade:
		wrong(6, "there stands a %.80q, and no %s", e.kind, typeMade)
	case err != nil:
		wrong(6, "what was said of the making cannot be read: %v", err)
	default:
		found.selection = append([]byte(nil), found.selection...) // the line's bytes are read over
		c.making = &found
	}
}

// Rule 3 again: all of that is in the tree.

func (c *packCheck) checkInclusion() error {
	data, err := c.archive.whole("proof.txt", maxText)
	if err != nil {
		return err
	}
	proof, err := parseSubsetProof(data)
	if err != nil {
		return refuse(1, "proof.txt", "it is not of its form: %v", err)
	}
	joined := &subset{positions: c.positions, leaves: c.leaves, proof: proof}
	if err := joined.check(c.head.size, c.head.root); err != nil {
		c.add(refuse(3, "proof.txt", "the entries shown and withheld are not those at these positions of the tree: %v", err))
	}
	return nil
}

func (c *packCheck) checkGenesis() error {
	if c.genesis == nil {
		c.add(refuse(4, "entries.jsonl", "position 1 is not shown, which says what the log is").at(1))
	}
	return nil
}

// Rule 5: wholeness.

func (c *packCheck) checkWholeness() error {
	if c.commitment == nil {
		c.add(refuse(5, "entries.jsonl", "no commitment is shown that the partitions could be held against").at(c.manifest.wholeness))
	}
	if c.manifest.chosenBy == "all" {
		c.checkAll()
	}
	data, err := c.archive.whole("wholeness.json", maxText)
	if err != nil {
		return err
	}
	said, proof, err := parseWholeness(data)
	if err != nil {
		return refuse(1, "wholeness.json", "it is not of its form: %v", err)
	}
	if c.commitment != nil {
		if err := checkMap(said, proof, *c.commitment); err != nil {
			c.add(refuse(5, "wholeness.json", "the map that the log is bound to does not say this: %v", err))
		}
	}
	c.checkPartitions(said)
	return nil
}

// checkPartitions holds the packed entries of each listed partition against what the map is said to say.
func (c *packCheck) checkPartitions(said []mapLeaf) {
	grouped, begins := c.grouped()
	proved := make([]bool, len(c.manifest.partitions))
	for i := range said {
		leaf := &said[i]
		number, listed := c.partitions[leaf.name]
		if !listed || proved[number] {
			c.add(refuse(5, "wholeness.json", "the partition %q is there twice, or not listed in the manifest", leaf.name))
			continue
		}
		proved[number] = true
		if err := leaf.check(grouped[begins[number]:begins[number+1]]); err != nil {
			c.add(refuse(5, "wholeness.json", "the partition %q is not whole: %v", leaf.name, err))
		}
	}
	for number, name := range c.manifest.partitions {
		if !proved[number] {
			c.add(refuse(5, "wholeness.json", "the partition %q is not proved to be whole", name))
		}
	}
}

// checkAll holds a pack of everything against the map: every partition of it, every position up to the commitment.
func (c *packCheck) checkAll() {
	if c.commitment != nil && c.commitment.size != int64(len(c.manifest.partitions)) {
		c.add(refuse(5, manifestName, "a pack of everything lists %d partitions, and the log has %d",
			len(c.manifest.partitions), c.commitment.size))
	}
	for i := int64(0); i < c.manifest.upto; i++ {
		if i >= int64(len(c.positions)) || c.positions[i] != i+1 {
			c.add(refuse(5, "positions.txt", "a pack of everything does not hold this position").at(i + 1))
			return
		}
	}
}

// grouped is the leaf hashes up to the commitment by partition, each in order of position, and where each partition begins.
func (c *packCheck) grouped() (leaves []tlog.Hash, begins []int) {
	begins = make([]int, len(c.manifest.partitions)+1)
	for _, number := range c.members {
		if number != notCounted {
			begins[number+1]++
		}
	}
	for i := 1; i < len(begins); i++ {
		begins[i] += begins[i-1]
	}
	leaves = make([]tlog.Hash, begins[len(begins)-1])
	at := append([]int(nil), begins...)
	for i, number := range c.members {
		if number != notCounted {
			leaves[at[number]] = c.leaves[i]
			at[number]++
		}
	}
	return leaves, begins
}

// Rule 6: what was said of the pack before it was written.

func (c *packCheck) checkMaking() error {
	said := c.making
	if said == nil {
		c.add(refuse(6, "entries.jsonl", "the event that says how the pack was made is not shown").at(c.manifest.made))
		return nil
	}
	if !bytes.Equal(said.selection, c.manifest.selection) || said.upto != c.manifest.upto ||
		said.wholeness != c.manifest.wholeness || said.office != c.manifest.office {
		c.add(refuse(6, manifestName, "selection, upto, wholeness or office are not those recorded when the pack was made").
			at(c.manifest.made))
	}
	if said.withheld != c.manifest.files["withheld.json"].sha256 {
		c.add(refuse(6, "withheld.json", "it is not the list whose SHA-256 was recorded when the pack was made").at(c.manifest.made))
	}
	if cases := int64(len(c.manifest.partitions) - 1); c.manifest.chosenBy != "all" && said.cases != cases {
		c.add(refuse(6, manifestName, "%d cases were packed; %d are listed", said.cases, cases).at(c.manifest.made))
	}
	c.checkLedgers(said.ledgers)
	return nil
}

// checkLedgers holds the ledgers in the pack against those that were recorded, both ways.
func (c *packCheck) checkLedgers(recorded map[string][2]string) {
	expected := make(map[string]string)
	for name, digests := range recorded {
		expected["ledgers/"+name+".csv"], expected["ledgers/"+name+".xlsx"] = digests[0], digests[1]
	}
	for file, digest := range expected {
		if c.manifest.files[file].sha256 != digest || digest == "" {
			c.add(refuse(6, file, "it is not the file whose SHA-256 was recorded when the pack was made").at(c.manifest.made))
		}
	}
	for _, file := range c.manifest.sortedNames() {
		if strings.HasPrefix(file, "ledgers/") && expected[file] == "" {
			c.add(refuse(6, file, "the event that says how the pack was made knows of no such ledger").at(c.manifest.made))
		}
	}
}

// --------------------------------------------------------------------------------------------------------------- report

func (c *packCheck) print(out io.Writer) {
	m := c.manifest
	total := int64(0)
	for _, file := range m.files {
		total += file.bytes
	}
	fmt.Fprintf(out, "holds: %s\n", c.describe())
	fmt.Fprintf(out, "  1 the zip holds exactly the %d files of its manifest, %d bytes, each with the SHA-256 said there\n", len(m.files), total)
	fmt.Fprintf(out, "  2 the checkpoint: %d leaves, root %s\n", c.head.size, c.head.root)
	for _, line := range c.head.signedBy() {
		fmt.Fprintf(out, "      %s\n", line)
	}
	fmt.Fprintf(out, "  3 %d entries shown and %d withheld, at %d runs of positions, are in that tree\n", m.entries, len(c.withheld), len(c.runs))
	fmt.Fprintf(out, "  4 every entry shown is canonical JSON of this log, which says of itself that it is a %s log\n", c.genesis.kind)
	fmt.Fprintf(out, "  5 as of position %d, by the commitment at position %d, %d of the log's %d partitions are here, each whole\n",
		m.upto, m.wholeness, len(m.partitions), c.commitment.size)
	fmt.Fprintf(out, "  6 the digests of %d ledgers (CSV and workbook) are those recorded at position %d\n", len(c.making.ledgers), m.made)
	fmt.Fprintln(out, "not proved:")
	fmt.Fprintln(out, "  what README.html and schemas/ say: nobody but the manifest vouches for them, and nobody signs the manifest")
	fmt.Fprintln(out, "  that the ledgers follow from the entries: they are the ones recorded; `qingling verify` derives them again")
	if m.chosenBy != "all" {
		fmt.Fprintln(out, "  that the choice names all cases it should (only a pack of everything proves that)")
	}
	fmt.Fprintf(out, "  anything recorded after position %d; that what the entries say is true\n", m.upto)
	if len(c.withheld) > 0 {
		fmt.Fprintln(out, "  what the withheld entries say: they count, and are proved to be there")
	}
}

func (c *packCheck) describe() string {
	choice := string(c.manifest.selection)
	if c.manifest.chosenBy == "all" {
		choice = "everything"
	}
	return fmt.Sprintf("an evidence pack of %s, %s, as of position %d", c.manifest.origin, choice, c.manifest.upto)
}

// Rule 8: evidence files are those that the entries name. That they open is not checked here: what opens a file is bound to it
// by a commitment in its own header, which its digest holds.

const evidenceFolder = "files/"

var digestPattern = regexp.MustCompile(`"sha256":"([0-9a-f]{64})"`)

func (c *packCheck) checkFiles() error {
	for _, name := range c.manifest.sortedNames() {
		if !strings.HasPrefix(name, evidenceFolder) {
			continue
		}
		if of := strings.TrimSuffix(name, ".json"); of != name {
			if c.archive.members[of] == nil {
				c.add(refuse(8, name, "the file that it opens is not in the pack"))
			}
			continue
		}
		digest := strings.TrimPrefix(name, evidenceFolder)
		if c.archive.members[name+".json"] == nil {
			c.add(refuse(8, name, "what opens it is not in the pack"))
		}
		if !c.digests[digest] {
			c.add(refuse(8, name, "no entry of the pack names it"))
		}
		if c.manifest.files[name].sha256 != digest {
			c.add(refuse(8, name, "it is not the file of that digest"))
		}
	}
	return nil
}
