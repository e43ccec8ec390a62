/**
 * What bowser does not tell: apps that show pages, browsers of phones' makers, systems of televisions, and which
 * devices are televisions, tablets or none of the four kinds. The first rule that matches decides. All patterns are
 * literals and character classes without nested repetition, so that they are linear.
 */

/** Browsers and apps: the version is the number behind the pattern, where there is one. */
export const BROWSERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Instagram", /Instagram[ /]|\[IG/i],
  ["Threads", /Barcelona[ /]/i],
  ["Facebook Messenger", /FBAN\/Messenger|FB_IAB\/MESSENGER|FB_IAB\/Orca|FBAN\/Orca/i],
  ["Facebook", /FBA[NV]\/|FB_IAB|MetaIAB Facebook/i],
  ["TikTok", /musical_ly|BytedanceWebview|TikTok|trill_|Bytelocale/i],
  ["WeChat", /MicroMessenger\/|WeChat\//i],
  ["Line", /(?<![a-z])Line\/(?=\d)/i],
  ["Google app", /GSA\/|GoogleApp\/|com\.google\.android\.googlequicksearchbox\//i],
  ["Snapchat", /Snapchat[ /]/i],
  ["Pinterest", /\[Pinterest\/|Pinterest for /i],
  ["LinkedIn", /LinkedInApp|LinkedIn\//i],
  ["X", /Twitter for |TwitterAndroid|Twitter\//i],
  ["Reddit", /Reddit\/Version|RedditAndroid/i],
  ["KakaoTalk", /KAKAOTALK/i],
  ["Naver", /NAVER\(inapp/i],
  ["Baidu", /baiduboxapp\/|bdapp\/|baiduboxpad\/|baiduboxlite\//i],
  ["Yahoo Japan", /YJApp|Y!J-/i],
  ["Viber", /(?<![a-z])Viber\//i],
  ["Alipay", /AlipayClient\//i],
  ["QQ", /(?<![a-z])QQ\/(?=\d)/i],
  ["Sogou Mobile Browser", /SogouMobileBrowser\/|SogouMSE(?!,SogouMobile)/i],
  ["QQ Browser", /MQQBrowser\/|QQBrowser\//i],
  ["Mi Browser", /MiuiBrowser\//i],
  ["Huawei Browser", /HuaweiBrowser\//i],
  ["Oculus Browser", /OculusBrowser\//i],
  ["Samsung Internet", /SamsungBrowser\//i],
  ["UC Browser", /UCBrowser\/|UCWEB\/|UCMini\/|UCTurbo\//i],
  ["vivo Browser", /VivoBrowser\//i],
  ["HeyTap Browser", /HeyTapBrowser\//i],
  ["Quark", /Quark\//i],
  ["Phoenix Browser", /(?<![a-z])PHX\//i],
  ["Puffin", /Puffin\//i],
  ["Amazon Silk", /(?<![a-z])Silk\//i],
  ["Yandex Browser", /YaBrowser\/|YaSearchBrowser\/|YandexSearch\w{0,12}\/|YaApp_(?:Android|iOS)\//i],
  ["DuckDuckGo", /DuckDuckGo\/|(?<![a-z])Ddg\/|ddg_android\//i],
  ["Whale", /Whale\//i],
  ["Aloha Browser", /AlohaBrowser\//i],
  ["Ecosia", /Ecosia /i],
  ["TV Bro", /TV ?Bro\//i],
  ["Odin", /(?<![a-z])Odin\//i],
  ["PlayStation browser", /PlayStation/i],
  ["Nintendo browser", /NintendoBrowser\/|Nintendo /i],
  ["Opera Mini", /Opera Mini\/|OPiOS\//i],
  ["Opera", /(?<![a-z])OP[RT]\/|OPRGX\/|OPX\//i],
  ["Microsoft Edge", /Edg(?:e|A|iOS|W)?\//i],
  ["Vivaldi", /Vivaldi\//i],
  ["Internet Explorer", /IEMobile[ /]/i],
  // Others' Version/4.0 Chrome/...: a page within an app that does not say which.
  ["Android WebView", /; wv\).{0,200}?Chrome\/|Version\/4\.0 Chrome\//i],
];

/** Operating systems. */
export const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Chrome OS", /(?<![a-z])CrOS |Chromebook/i],
  ["KaiOS", /KAIOS/i],
  ["HarmonyOS", /HarmonyOS|OpenHarmony|ArkWeb/i],
  ["Windows Phone", /Windows Phone|IEMobile/i],
  ["tvOS", /tvOS|Apple ?TV/i],
  ["watchOS", /watchOS|Watch OS|(?<![a-z])Watch\d,\d/i],
  ["webOS", /Web[0O]S|NetCast/i],
  ["VIDAA", /VIDAA/i],
  ["Roku OS", /Roku/i],
  ["Tizen", /Tizen/i],
  ["Fire OS", /Android.{0,80}[; ](?:AFT[A-Z]|KF[A-Z]{2})|smarttv_AFT|Amazon;AFT/i],
  ["Android TV", /Android ?TV|GoogleTV|Google TV|Android.{0,60}BRAVIA|DeviceType\/AndroidTV/i],
  ["PlayStation", /PlayStation/i],
  ["Nintendo", /Nintendo/i],
  ["Meta Horizon", /OculusBrowser|; Quest(?: \d| Pro)?[;)]/i],
  ["Android", /Linux; (?:U; ?)?(?:arm(?:_64)?; ?)?Android[ ;)]/i],
  ["iOS", /\((?:iPhone|iPad|iPod)/i],
];

/** Systems for agents of which neither the rules above nor bowser know one: apps' own forms. */
export const SYSTEMS_AT_LAST: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["iOS", /iPhone|iPad|iPod|\biPh\d|(?<![a-z])iOS(?![a-z])/i],
  ["Android", /Android|FBAN\/FB4A/i],
  ["macOS", /Macintosh|Mac_PowerPC|Mac ?OS|(?<![a-z])Mac \d|Darwin.{0,20}\((?:x86_64|i386)/i],
  ["Windows", /Windows|(?<![a-z])win(?:32|64|10)/i],
  ["Linux", /Linux|(?<![a-z])X11/i],
];

/** Neither desktop, mobile, tablet nor television: consoles, cars, watches, readers, headsets, speakers. */
export const OTHERS = new RegExp(
  [
    "PlayStation|Nintendo|Xbox|GAMEPAD|Retroid|Bunjalloo|\\bSEGA",
    "Tesla/|CarPad|\\bCar(?:play|Browser)|QtCarBrowser",
    "watchOS|Watch OS|\\bWatch\\d,\\d|Tizen[^)]*SM-R\\d|(?:Galaxy|Tic|Apple|G|Smart) ?Watch|Wear ?OS|\\bWIB/",
    "DeviceType/SmartSpeaker|OculusBrowser|; Quest(?: \\d| Pro)?[;)]|\\bPico \\d|VR Safari|Pacific Build",
    "\\bNW-[AZ]\\d|\\bEK-G[CN]\\d|COOLPIX|AlexaMediaPlayer|\\bEcho/|AEO[A-Z]{2}(?![A-Z])|Family Hub|SMARTPOS",
  ].join("|"),
  "i",
);

/** Televisions, their boxes and sticks. */
export const TELEVISIONS = new RegExp(
  [
    // What they say of themselves.
    "(?<![a-z])(?:Smart[-_ ]?TV|HbbTV|NETTV|CE-HTML|VIDAA|Roku|GoogleTV|google_cube|Apple ?TV|tvOS|Web0S|NetCast)",
    "webOS\\.TV|InettvBrowser|SonyCEBrowser|Espial|ANTGalio|(?<![a-z])Viera|Opera TV|TV Store|TV ?Bro/|Large Screen|(?<![a-z])TiVo|ViziOS",
    "AmazonWebAppPlatform|BDPlayer|Blu-?ray|DeviceType/(?:Android)?TV|LaTivu|OMI/\\d|Maple[ \\d]*20|XBMC|Kodi/|MediaCenter",
    "Tizen[^)]{0,30}(?:TV|SMART)|Whale ?TV|gftv|Freebox|set-?top|(?<![a-z])(?:STB|IPTV|OTT)(?![a-z])",
    "BrightSign|WebTV|YouView|TiviMate|AQUOS-|QtEmbedded|[GM][RW]-Device|Presto[^(]*\\([^)]*wire(?:d|less)\\)|Opera/9\\.80 \\(Linux (?:mips|armv|sh4)",
    // Words within model names.
    "(?<![a-z])TV(?![a-z])|(?:Smart|Android|Beyond|Google|Mi|Idea|Pro|Max|Media|Net|Play|Air|Magic|Sky|UHD)_?TV",
    "TV ?Box|(?<!X|Hi|Post|Iron-|Run|Tur|Mixer)BOX(?![a-z])|(?<![a-z])(?:MECOOL|UGOOS|Beelink|(?:H96|X96|T95|X88|TX[39]|HK1)(?!\\d)|A95X|Shell(?![a-z]))",
    "[; _](?:[a-z]+[-_ ])?Shell[ _]|LED-?\\d\\d|(?<![a-z])(?:ATV|4K ?Stick|TV ?Stick|UHD|TDTV|SWTV)(?![a-z])",
    "(?<![a-z])(?:NEXON|VONTAR|ZIDOO|Pendoo|Vorke|NEXBOX|Formuler|GT-?King|Orbsmart|MXQ|Transpeed|MyGica|Rombica|XDS\\d)",
    // Models: Fire TV, Sony, Chromecast, Xiaomi, Nvidia, and the many that begin with their inches.
    "(?<![a-z])(?:AFT[A-Z]|BRAVIA|CrKey|Chromecast|MiBOX|MITV|SHIELD|Nexus Player|ADT-\\d|Beyond ?TV|OnePlus TV)",
    "Android [\\d.]+; (?:[a-z]{1,9}[-_ ]?(?:LED[-_ ]?)?)?(?:2[248]|3[29]|4[0389]|5[058]|6[05]|7[057]|8[256]|98)(?:[A-Z]{2,4}[-_]?\\d|[UFL][A-Z]?\\d{2}|LE|PU[SHT])",
    "Build/PPR2\\.180905|Build/STT[A-Z]\\.|Build/PTT\\d|Build/RTT?[A-Z]?\\d\\.2",
  ].join("|"),
  "i",
);

/** Phones that say neither Android nor what bowser knows: feature phones, old systems, apps. */
export const PHONES =
  /MIDP|CLDC|UP\.Browser|(?<![a-z])WAP|MAUI|\biPh\d|FBAN\/FB4A|DoCoMo|NetFront|Jasmine|Openwave|Obigo|Palm|Windows (?:Phone|CE)|WPDesktop|ARM; Lumia|Maemo|webOS\/[12]\.|Opera Mini|BlackBerry|BREW|Polaris|Symb(?:ian|OS)|KAIOS/i;

/** Tablets that say "Mobile" as phones do. */
export const TABLETS =
  /iPad|Tablet(?! PC)|(?<![a-z])(?:Tab(?![a-km-z]|let PC)|TB-|MID\d|KF[A-Z]{2}[A-Z]?|GT-P\d|GT-N[58]|SM-[TPX]\d|SCH-I800|SGH-I987|Nexus (?:7|9|10)|YT-X|YT3|YOGA|Kindle|PlayBook|Xoom|Transformer|Readboy|MediaPad|MatePad|Lenovo TB|BAH\d?-|AGS\d?-|JDN\d?-|BG2-|CPN-|DBY\d?-|BTV-|PMT\d{3,4}|PMP\d{4}|TPC_|KOB\d?-|SCM-|VRD-|MRX-|CMR-|SHT-|T1-\d|MOMO\d)|(?<!Cool|Tech.|Touch|Key|Game|Car)Pad(?![a-z])|\/apad|Tab(?: ?\d|[ _-][A-Z]|(?=[);/ ]))/i;
