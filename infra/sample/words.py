"""Invented people, firms and projects. Nobody is called like this: given names are the sixty pairs of the old calendar, firms and
projects bear the names of myths and of things that proverbially do not exist, identity numbers have a check digit that is wrong and
a place that was never given out, telephone numbers a prefix that belongs to no network.
"""

from __future__ import annotations

from typing import NamedTuple

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹"
)
STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
PAIRS = len(STEMS) * len(BRANCHES) // 2
"""Stem and branch advance together, so only every second pairing occurs."""

MYTHS = (
    "子虚", "乌有", "南柯", "桃源", "蓬莱", "方丈", "瀛洲", "昆仑", "瑶池", "不周",
    "夸父", "精卫", "愚公", "刑天", "共工", "后羿", "嫦娥", "女娲", "盘古", "烛龙",
    "鲲鹏", "麒麟", "白泽", "饕餮", "貔貅", "青丘", "扶桑", "若木", "建木", "归墟",
    "广寒", "灵台", "三星洞", "水帘洞", "流沙河", "通天河", "火焰山", "五行山", "女儿国", "无底船",
)  # fmt: skip
FIRMS = (
    "建筑劳务",
    "建设工程",
    "市政工程",
    "路桥工程",
    "土石方",
    "装饰装修",
    "机电安装",
    "园林绿化",
    "钢结构",
    "防水工程",
)
CONTRACTORS = ("建设集团", "建工集团", "第一建筑工程", "路桥建设集团", "水利水电工程")
DEVELOPERS = {
    "government": ("镇人民政府", "区住房和城乡建设局", "县水利局", "乡交通运输站"),
    "state-owned": ("煤业集团", "城市投资", "交通投资集团", "热力集团"),
    "private": ("置业", "房地产开发", "文化旅游开发", "商贸城"),
}
PROJECTS = {
    "government": ("小学改扩建", "卫生院迁建", "棚户区改造", "河道治理", "农村公路改造", "集中供热管网"),
    "state-owned": ("矿井通风系统改造", "职工公寓", "选煤厂扩建", "污水处理站", "铁路专用线"),
    "private": ("小区二期", "商业广场", "温泉度假村", "物流园", "写字楼", "公寓楼内装修"),
}
INDUSTRY = {"government": "房屋市政", "state-owned": "煤矿基建", "private": "房屋建筑"}
WORKPLACES = (
    ("饭店", "住宿餐饮"),
    ("砖厂", "制造业"),
    ("洗煤厂", "采矿业"),
    ("家政服务", "居民服务"),
    ("快递站", "交通运输"),
)
CAUSES = ("建设单位拖欠工程款", "违法转包分包", "挂靠承揽", "资金链断裂", "劳务工程量纠纷", "班组长代领未发")
CREWS = ("木工班组", "钢筋班组", "瓦工班组", "架子工班组", "抹灰班组", "水电班组", "防水班组", "土方班组")
CHANNELS = ("来访", "来电", "网上投诉", "来信", "排查发现")
HANDED_DOWN_BY = (
    ("山西省农民工工作领导小组办公室", "晋农工转"),
    ("国务院根治拖欠农民工工资工作领导小组办公室", "国欠转"),
    ("阳泉市人民政府", "阳政督"),
)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


class Person(NamedTuple):
    """An invented worker, in clear: it is sealed before it reaches an event."""

    name: str
    identity: str
    phone: str


def person(number: int) -> Person:
    """The invented person of that number; numbers below 6,000 have different names."""
    surname = SURNAMES[number % len(SURNAMES)]
    return Person(surname + _given(number // len(SURNAMES) + number * 7), _identity(number), f"1200{number:07d}")


def _given(number: int) -> str:
    place = number % PAIRS
    return STEMS[place % len(STEMS)] + BRANCHES[place % len(BRANCHES)]


def _identity(number: int) -> str:
    born = f"{1960 + number % 40}{1 + number % 12:02d}{1 + number % 28:02d}"
    digits = f"140399{born}{number % 1000:03d}"
    right = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
    return digits + _CHECK_DIGITS[(right + 1) % 11]
